using Dbos.Application.Events;
using Dbos.Domain;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;

namespace Dbos.Application.Pipeline;

/// <summary>Tells the event log what no commit tells: refusals, and replays that differ from what they replay.</summary>
public sealed class Refusals(IEventLog events)
{
    /// <summary>The metadata that every refusal has, and no other event.</summary>
    public const string CodeName = "code";

    private const int LongestValue = 256;

    public async Task Tell(IDbosRequest request, Refusal? refusal, CommitContext work, CancellationToken cancellation)
    {
        // That a reader asked for what does not exist is no event.
        if (refusal is not null && (request is ICommand || refusal.Code != RefusalCode.NotFound))
        {
            var refused = new AuditEvent(
                request.RefusedEvent,
                refusal.Sentence,
                [.. request.Subject.Select(told => (told.Name, told.Value.CutShort(LongestValue))), (CodeName, refusal.Code.ToString())]);
            await events.TellRefusal(refused, work.Origin, PartitionId(request), cancellation);
        }

        if (work.ReplayDiffered)
        {
            var differed = new AuditEvent(
                EventTypes.ReplayDiffered,
                $"{request.GetType().Name} was sent again with other content; the first is kept",
                request.Subject);
            await events.TellRefusal(differed, work.Origin, PartitionId(request), cancellation);
        }
    }

    private static string PartitionId(IDbosRequest request) => request.Subject is [var first, ..] ? first.Value : string.Empty;
}
