using Dbos.Application.Events;
using Dbos.Domain;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;

namespace Dbos.Application.Pipeline;

/// <summary>Logs what no commit logs: refused writes, and replays that differ from what they replay. Refused reads are no events.</summary>
public sealed class Refusals(IEventLog events)
{
    /// <summary>The metadata that every refusal has, and no other event.</summary>
    public const string CodeName = "code";

    private const int LongestValue = 256;

    /// <param name="isDone">The write is committed, except for a part whose stored content was kept: an event that cannot be logged must not fail it.</param>
    public async Task Log(IDbosRequest request, Refusal? refusal, CommitContext work, bool isDone, CancellationToken cancellation)
    {
        if (refusal is not null && request is ICommand command)
        {
            var refused = new AuditEvent(
                command.RefusedEvent,
                refusal.Sentence,
                [.. request.Subject.Select(told => (told.Name, told.Value.CutShort(LongestValue))), (CodeName, refusal.Code.ToString())]);
            await events.LogRefusal(refused, work.Origin, PartitionId(request), cancellation);
        }

        if (work.ReplayDiffered)
        {
            var differed = new AuditEvent(
                EventTypes.ReplayDiffered,
                $"{(request as IWrite)?.Repeated ?? request.GetType().Name} was sent again with other content; the first is kept",
                request.Subject);
            try
            {
                await events.LogRefusal(differed, work.Origin, PartitionId(request), cancellation);
            }
            catch (Exception outage) when (isDone && (outage is StoreUnavailableException or StoreBusyException or OperationCanceledException))
            {
            }
        }
    }

    private static string PartitionId(IDbosRequest request) => request.Subject is [var first, ..] ? first.Value : string.Empty;
}
