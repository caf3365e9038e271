using System.Runtime.ExceptionServices;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;

namespace Dbos.Application.Tasks;

/// <summary>Writes acknowledgements: those with a result or a state one by one, each as one commit of its parts, all others together.</summary>
public sealed class AckWriter(ITaskRepository tasks, DbosPolicy policy, TimeProvider clock)
{
    /// <summary>A batch leaves room for the calls of others.</summary>
    private const int MostAtOnce = 16;

    /// <returns>In the order of the acknowledgements.</returns>
    public async Task<IReadOnlyList<Answer<Written>>> Write(
        IReadOnlyList<(AckTask Ack, CommitContext Context)> acks, CancellationToken cancellation)
    {
        if (acks.All(ack => ack.Ack.Report is null))
        {
            return await tasks.Acknowledge([.. acks.Select(ack => Acknowledgement(ack.Ack, ack.Context))], cancellation);
        }

        var answers = new Answer<Written>[acks.Count];
        var reporting = Enumerable.Range(0, acks.Count).Where(i => acks[i].Ack.Report is not null).ToList();
        var plain = Enumerable.Range(0, acks.Count).Except(reporting).ToList();

        Exception? failure = null;

        // First, as a plain ack of the same task in the same batch would complete it without its result.
        await Parallel.ForEachAsync(
            reporting,
            new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = cancellation },
            async (i, _) =>
            {
                try
                {
                    answers[i] = await WriteReport(acks[i].Ack, acks[i].Context, cancellation);
                }
                catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
                {
                    // The others go on: a full store refuses a new result and takes what needs no room.
                    Volatile.Write(ref failure, outage);
                }
            });
        if (plain.Count > 0)
        {
            var written = await tasks.Acknowledge([.. plain.Select(i => Acknowledgement(acks[i].Ack, acks[i].Context))], cancellation);
            for (var at = 0; at < plain.Count; at++)
            {
                answers[plain[at]] = written[at];
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return answers;
    }

    private static Acknowledgement Acknowledgement(AckTask ack, CommitContext context) => new(ack.TaskId, ack.LeaseToken, context);

    private async Task<Answer<Written>> WriteReport(AckTask ack, CommitContext context, CancellationToken cancellation)
    {
        var report = await ack.Report!.Complete(ack.TaskId, tasks, policy, clock.GetUtcNow(), cancellation);
        return report.IsRefused ? report.Refusal : await tasks.AcknowledgeWith(report.Value, Acknowledgement(ack, context), cancellation);
    }
}
