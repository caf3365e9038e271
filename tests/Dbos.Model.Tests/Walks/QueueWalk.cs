using System.Text;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Model.Tests.Model;
using Dbos.Model.Tests.Steps;
using Dbos.Testing;
using Take = Dbos.Model.Tests.Steps.Take;

namespace Dbos.Model.Tests.Walks;

/// <summary>Goes one walk on a store and in the model, and compares them after every step.</summary>
internal sealed class QueueWalk(IReadOnlyList<OpenStore> replicas)
{
    /// <summary>By so much the clocks of replicas and store may differ; all that is told apart differs by far more.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(2);

    private readonly QueueModel model = new(
        replicas[0].Policy, id => Partitioning.PartitionOf(id, replicas[0].Partitions));
    private IReadOnlyList<(string Id, long Token)> latestTake = [];
    private IReadOnlyList<MeasurementTask> latestTaken = [];

    public async Task Go(IEnumerable<Step> steps)
    {
        var comparison = new StoreComparison(replicas[0], model);
        foreach (var step in steps)
        {
            await Do(step);
            await comparison.CompareTasks();
            await ClocksPassWhatHappened();
            await comparison.CompareTheRest();
        }
    }

    private static TimeProvider ClockOf(OpenStore replica) => replica.Get<TimeProvider>();

    private Task Do(Step step) => step switch
    {
        Schedule schedule => Do(schedule),
        Take take => Do(take),
        Ack ack => Do(ack),
        Extend extend => Do(extend),
        Nack nack => Do(nack),
        Cancel cancel => Write(step, new CancelTask(QueueModel.IdOf(cancel.Task), "no longer wanted"),
            now => model.Cancel(cancel.Task, "no longer wanted", step.Key, now)),
        Delete delete => Write(step, new DeleteDeadLetterTask(QueueModel.IdOf(delete.Task)), _ => model.Delete(delete.Task, step.Key)),
        GiveBack => Do((GiveBack)step),
        ExpireLeases => Compare(ReplicaOf(step).Sweep<LeaseSweep>, model.ExpireLeases),
        Purge => Compare(ReplicaOf(step).Sweep<RetentionSweep>, _ => model.Purge()),
        Requeue requeue => Do(requeue),
        Look look => Do(look),
        _ => throw new InvalidOperationException($"unknown step: {step}"),
    };

    private Task Do(Schedule schedule)
    {
        var writes = schedule.Tasks.Select(WriteOf).ToArray();
        return writes.Length == 1
            ? Write(schedule, writes[0], now => model.Schedule(schedule.Tasks[0], schedule.Key, now))
            : Batch(schedule, new ScheduleTasks(writes), now => [.. schedule.Tasks.Select(task => model.Schedule(task, null, now))]);
    }

    private Task Do(Ack ack)
    {
        var tokens = ack.Tasks.Select(held => model.TokenOf(held.Task, held.Token)).ToArray();
        var writes = ack.Tasks.Zip(tokens, (held, token) => new AckTask(QueueModel.IdOf(held.Task), token)).ToArray();
        return writes.Length == 1
            ? Write(ack, writes[0], now => model.Ack(ack.Tasks[0].Task, tokens[0], ack.Key, now))
            : Batch(ack, new AckTasks(writes), now => [.. ack.Tasks.Zip(tokens, (held, token) => model.Ack(held.Task, token, null, now))]);
    }

    private Task Do(Extend extend)
    {
        var token = model.TokenOf(extend.Task, extend.Token);
        return Write(
            extend,
            new ExtendTaskLease(QueueModel.IdOf(extend.Task), token, (long)TimeSpan.FromHours(extend.Hours).TotalSeconds),
            now => model.Extend(extend.Task, token, extend.Hours, extend.Key, now));
    }

    private Task Do(Nack nack)
    {
        var token = model.TokenOf(nack.Task, nack.Token);
        var delay = (long)TimeSpan.FromHours(nack.DelayHours).TotalSeconds;
        return Write(
            nack,
            new NackTask(QueueModel.IdOf(nack.Task), delay, nack.AtOnce, token, "no route"),
            now => model.Nack(nack, token, "no route", now));
    }

    private async Task Do(Take take)
    {
        var dbos = ReplicaOf(take);
        var seconds = QueueModel.SecondsOf(take.Due, take.Offset);
        var clock = ClockOf(dbos).GetUtcNow().ToUnixTimeMilliseconds();
        var upTo = seconds == 0 ? clock : (seconds * 1000) + 999;
        var due = model.DueBy(upTo, take.Filter);
        var lease = take.Lease switch
        {
            Lease.Short => TimeSpan.FromMilliseconds(1),
            Lease.OneHour => TimeSpan.FromHours(1),
            _ => TimeSpan.FromHours(3),
        };

        var (taken, ran) = await During(async () => take.Lease == Lease.Short
            ? await dbos.Get<ITaskRepository>().Take(
                new TakeOrder(take.Filter, DateTimeOffset.FromUnixTimeMilliseconds(upTo), take.Limit, lease),
                Origin.Background("test"),
                CancellationToken.None)
            : (await dbos.Send(new ListDueTasks(take.Filter, seconds, take.Limit, (long)lease.TotalSeconds))).Value);

        var ids = taken.Select(task => task.Id).ToArray();
        var byId = due.ToDictionary(task => task.Id);
        ids.Should().OnlyHaveUniqueItems().And.BeSubsetOf(byId.Keys);
        var chosen = ids.Select(id => byId[id]).ToArray();
        ShouldBeFair(take, due, chosen, ids);

        foreach (var (task, stored) in chosen.Zip(taken))
        {
            var now = stored.VisibleAt - lease;
            ran.Contains(now).Should().BeTrue("{0} is leased from {1:O}, within {2}", task.Id, now, ran);
            model.Take([task], lease, now);
        }

        taken.Select(ModelTask.Describe).Should().Equal(chosen.Select(task => task.Describe()));
        latestTake = [.. chosen.Select(task => (task.Id, task.Token))];
        latestTaken = taken;
    }

    private void ShouldBeFair(Take take, IReadOnlyList<ModelTask> due, ModelTask[] chosen, string[] ids)
    {
        var wanted = Math.Min(due.Count, take.Limit);
        if (take.Due == Due.LongAgo)
        {
            // Agents whose tasks are due now, but were not then, have their share, and a bounded number of them is looked at.
            chosen.Length.Should().BeLessThanOrEqualTo(wanted);
        }
        else if (replicas[0].Partitions == 1)
        {
            chosen.Should().HaveCount(wanted);
        }
        else
        {
            // A partition that was known to have nothing within the last second is asked again only where no other gives anything.
            chosen.Length.Should().BeInRange(Math.Min(1, wanted), wanted);
        }

        model.WhyPassedOver(due, chosen).Should().BeNull();
        if (take.Due != Due.LongAgo && model.KnowsTurns(due, take.Filter))
        {
            ids.Should().Equal(model.Choice(due, take.Limit, ids).Select(task => task.Id), "they are taken by turns");
        }
    }

    private async Task Do(GiveBack step)
    {
        var (_, now) = await During(async () =>
        {
            await ReplicaOf(step).Get<TaskGiveBack>().GiveBack(latestTaken, Origin.Background("test"));
            return true;
        });
        model.GiveBack(latestTake, now);
    }

    private async Task Do(Requeue requeue)
    {
        var command = new RequeueDeadLetterTasks(
            [.. requeue.Tasks.Select(QueueModel.IdOf)], requeue.Filter, All: requeue.Tasks.Count == 0 && requeue.Filter.IsAny);
        var (answer, now) = await During(() => ReplicaOf(requeue).Send(command));
        var (requeued, not) = model.Requeue(requeue.Tasks, requeue.Filter, now);
        answer.Value.Count.Should().Be(requeued);
        answer.Value.NotRequeued.Should().Equal(not);
    }

    private async Task Do(Look look)
    {
        var dbos = ReplicaOf(look);
        var seen = new List<MeasurementTask>();
        var token = string.Empty;
        do
        {
            var page = (await dbos.Send(new ListTasks(look.Status, look.Filter, new PageRequest(look.PageSize, token)))).Value;
            seen.AddRange(page.Items);
            token = page.NextToken;
        }
        while (token.Length > 0);

        seen.Select(ModelTask.Describe).Should().Equal(
            model.Listed(MeasurementTaskStatusWords.Parse(look.Status), look.Filter, [.. seen.Select(task => task.Id)]).Select(task => task.Describe()));
    }

    private static ScheduleTask WriteOf(Planned planned)
    {
        var id = QueueModel.IdOf(planned.Task);
        return new ScheduleTask(new NewTask(
            id,
            planned.Agent,
            planned.Module,
            Encoding.UTF8.GetBytes(id),
            QueueModel.SecondsOf(planned.Due, planned.Offset),
            CreatedAt: 0,
            Status: string.Empty,
            VisibilityTime: 0,
            RetryCount: 0,
            planned.MaxRetries,
            planned.MaxExpiries,
            planned.Priority));
    }

    private async Task Write(Step step, IWrite write, Func<Span, Reply> expect)
    {
        var (answer, now) = await During(() => ReplicaOf(step).Send(write, step.Key));
        Reply.Of(answer).Should().Be(expect(now));
    }

    private async Task Batch<TWrite>(Step step, IBatch<TWrite> batch, Func<Span, Reply[]> expect)
        where TWrite : IWrite
    {
        var (answers, now) = await During(() => ReplicaOf(step).Send(batch));
        answers.Value.Select(Reply.Of).Should().Equal(expect(now));
    }

    private async Task Compare(Func<Task<int>> call, Func<Span, int> expect)
    {
        var (answer, now) = await During(call);
        answer.Should().Be(expect(now));
    }

    /// <summary>Whoever calls next calls later, by every replica's clock: those of replicas on one machine differ by less than a call takes.</summary>
    private async Task ClocksPassWhatHappened()
    {
        var latest = model.Instants.Where(instant => instant < ClockOf(replicas[0]).GetUtcNow() + ClockSkew).DefaultIfEmpty().Max();
        await Eventually.True(
            () => replicas.All(replica => ClockOf(replica).GetUtcNow() > latest), 2 * ClockSkew, $"every clock passes {latest:O}");
    }

    private OpenStore ReplicaOf(Step step) => replicas[step.Replica];

    private async Task<(T Answer, Span Ran)> During<T>(Func<Task<T>> call)
    {
        var from = ClockOf(replicas[0]).GetUtcNow();
        var answer = await call();
        return (answer, new Span(from - ClockSkew, ClockOf(replicas[0]).GetUtcNow() + ClockSkew));
    }
}
