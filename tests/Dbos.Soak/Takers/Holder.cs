namespace Dbos.Soak.Takers;

internal enum Conduct
{
    /// <summary>Acknowledges at once.</summary>
    Quick,

    /// <summary>Works for longer than the lease, and extends it in time.</summary>
    Extending,

    /// <summary>Works for longer than the lease and does not extend it.</summary>
    Late,

    /// <summary>Negatively acknowledges.</summary>
    Failing,
}

/// <summary>What a taker does with the deliveries it holds.</summary>
internal sealed class Holder(AnyReplica replicas, Journal journal, long leaseSeconds)
{
    private TimeSpan LongWork => TimeSpan.FromSeconds(leaseSeconds + 1.5);

    private TimeSpan BetweenExtensions => TimeSpan.FromSeconds(leaseSeconds / 3.0);

    public static Conduct Choose() => Random.Shared.Next(1_000) switch
    {
        < 20 => Conduct.Failing,
        < 30 => Conduct.Extending,
        < 40 => Conduct.Late,
        _ => Conduct.Quick,
    };

    public async Task Finish(WireTask task, Conduct conduct)
    {
        if (conduct == Conduct.Failing)
        {
            await Nack(task);
            return;
        }

        if (conduct == Conduct.Late)
        {
            await Task.Delay(LongWork);
        }

        if (conduct != Conduct.Extending || await IsHeldThroughout(task))
        {
            journal.Write(JournalWord.Sent, task);
            Note(task, await replicas.Ask((client, options) => client.AckTaskAsync(Ack(task), options)));
        }
    }

    public async Task FinishTogether(IReadOnlyCollection<WireTask> tasks)
    {
        if (tasks.Count == 0)
        {
            return;
        }

        foreach (var task in tasks)
        {
            journal.Write(JournalWord.Sent, task);
        }

        var request = new AckTasksRequest { Acks = { tasks.Select(Ack) } };
        var reply = await replicas.Ask((client, options) => client.AckTasksAsync(request, options));
        foreach (var (task, answer) in tasks.Zip(reply.Answers))
        {
            Note(task, answer);
        }
    }

    private static AckTaskRequest Ack(WireTask task) => new() { TaskId = task.Id, LeaseToken = task.LeaseToken };

    private async Task<bool> IsHeldThroughout(WireTask task)
    {
        var request = new ExtendTaskLeaseRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, Seconds = leaseSeconds };
        for (var worked = TimeSpan.Zero; worked < LongWork; worked += BetweenExtensions)
        {
            await Task.Delay(BetweenExtensions);
            var answer = await replicas.Ask((client, options) => client.ExtendTaskLeaseAsync(request, options));
            journal.Write(answer.Success ? JournalWord.Extended : Refused(answer.Code), task);
            if (!answer.Success)
            {
                return false;
            }
        }

        return true;
    }

    private async Task Nack(WireTask task)
    {
        var request = new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, Reason = "it failed", RetryAtOnce = true };
        var answer = await replicas.Ask((client, options) => client.NackTaskAsync(request, options));
        journal.Write(answer.Success ? JournalWord.Nacked : Refused(answer.Code), task);
    }

    private void Note(WireTask task, AckTaskResponse answer) => journal.Write(
        answer switch
        {
            { Success: true, Duplicate: false } => JournalWord.Accepted,
            { Success: true } => JournalWord.AcceptedBefore,
            _ => Refused(answer.Code),
        },
        task);

    private static JournalWord Refused(ErrorCode code) => code == ErrorCode.LeaseLost ? JournalWord.LeaseLost : JournalWord.Refused;
}
