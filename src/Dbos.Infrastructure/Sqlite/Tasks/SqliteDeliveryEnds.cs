using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.ModuleStates;
using Dbos.Infrastructure.Sqlite.Results;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>The end of a delivery with what its holder reports, inside the transaction of the task's change.</summary>
internal static class SqliteDeliveryEnds
{
    /// <param name="decide">How the delivery ends; called with the stored task, without its payload.</param>
    public static Answer<Written> EndWith(
        this TaskChanges changes,
        DeliveryReport report,
        string taskId,
        CommitContext context,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide)
    {
        var (session, now) = (changes.Session, changes.PreciseNow);
        var storedState = report.State is { } state ? session.FindState(taskId, report.AgentId, state.ModuleName) : null;
        DeliveryEnd? end = null;
        var answer = changes.Change(taskId, context, Decide, WriteParts);
        return answer is { IsRefused: false, Value.Duplicate: false } && end is { ResultDiffers: true }
            ? answer.Value with { ContentDiffers = context.ReplayDiffered = true }
            : answer;

        Answer<Decision<MeasurementTask>> Decide(MeasurementTask task)
        {
            var decided = report.End(task, decide(task), KnownResultOf(session, report), storedState?.State, now);
            end = decided.IsRefused ? null : decided.Value;
            return decided.IsRefused ? decided.Refusal : decided.Value.Task;
        }

        void WriteParts()
        {
            if (end?.Result is { } result)
            {
                session.Add(result.Next, EventWriter.Body(result.Events[0], context.Origin), now);
            }

            if (end?.State is { } next)
            {
                session.Write(storedState?.Id, next, context.Origin, now);
            }
        }
    }

    private static KnownResult KnownResultOf(SqliteSession session, DeliveryReport report) =>
        report.Result is not { } result || session.FindResult(report.AgentId, result.Id) is not { } stored ? KnownResult.None
        : stored.HasSameData(result) ? KnownResult.Same
        : KnownResult.Other;
}
