using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;

namespace Dbos.Application.Events;

/// <summary>
/// The event log of all partitions. Accepted changes tell their events in their own commit; this is the
/// rest of it.
/// </summary>
public interface IEventLog
{
    /// <summary>Tells, apart from the history and under a cap of its own, of something that was not done.</summary>
    Task TellRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation);

    /// <summary>The newest events of history and refusals, newest first, each as UTF-8 JSON.</summary>
    Task<EventList> Newest(int limit, CancellationToken cancellation);
}

/// <param name="Cut">The bytes of one reply were full before the limit.</param>
public sealed record EventList(IReadOnlyList<ReadOnlyMemory<byte>> Events, bool Cut);
