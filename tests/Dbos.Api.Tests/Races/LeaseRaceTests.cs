using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Races;

/// <summary>Who may end a delivery: a thousand races each, many at once, the racers on different replicas where there are two.</summary>
public abstract class LeaseRaceTests(Deployment dbos)
{
    private const int Races = 1_000;
    private const int AtOnce = 100;
    private const int Racers = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly DBOS.DBOSClient[] clients = dbos.Connect(Racers);
    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_stale_token_ends_nobody_elses_delivery()
    {
        var completed = await dbos.Client.Total("completed");
        var stale = await TakeNew(leaseSeconds: 1);
        await Eventually.True(async () => (await dbos.Client.TasksOf(agent, "pending")).Count == Races, Patience, "all leases have expired");

        var refusals = Race(stale, StaleCalls);
        var acks = await Task.WhenAll(clients.Select(TakeAndAckAll));
        var during = await refusals;
        var after = await Race(stale, StaleCalls);

        during.Concat(after).SelectMany(codes => codes).Should().OnlyContain(code => code == ErrorCode.LeaseLost);
        var fresh = acks.SelectMany(ack => ack).ToArray();
        fresh.Select(ack => ack.Task.Id).Should().OnlyHaveUniqueItems().And.HaveCount(Races);
        var tokens = stale.ToDictionary(task => task.Id, task => task.LeaseToken);
        fresh.Should().OnlyContain(ack =>
            ack.Task.DeliveryCount == 2 && ack.Task.LeaseToken > tokens[ack.Task.Id] && ack.Reply.Success && !ack.Reply.Duplicate);
        (await dbos.Client.Total("completed") - completed).Should().Be(Races);
    }

    [Fact]
    public async Task Of_two_acks_of_one_delivery_one_is_new_and_the_other_a_duplicate()
    {
        var completed = await dbos.Client.Total("completed");
        var tasks = await TakeNew();

        var replies = await Race(tasks, (task, one, other) => Task.WhenAll(one.Ack(task), other.Ack(task)));

        replies.Should().OnlyContain(both => both.All(reply => reply.Success) && both.Count(reply => reply.Duplicate) == 1);
        (await dbos.Client.Total("completed") - completed).Should().Be(Races);
    }

    [Fact]
    public async Task Of_a_cancel_and_an_ack_one_wins_and_the_other_is_told()
    {
        var tasks = await TakeNew();

        var outcomes = await Race(tasks, async (task, one, other) =>
        {
            // Each goes first in half of the races, as both would else always end alike.
            var ackFirst = task.Id[^1] % 2 == 0;
            var early = ackFirst ? other.Ack(task) : null;
            var cancel = one.CancelTaskAsync(new CancelTaskRequest { TaskId = task.Id, Reason = "no longer wanted" }).ResponseAsync;
            var ack = early ?? other.Ack(task);
            return (Cancel: await cancel, Ack: await ack, (await one.FindTask(task.Id)).Status);
        });

        var cancelled = outcomes.Where(outcome => outcome.Cancel.Success).ToArray();
        cancelled.Should().OnlyContain(
            outcome => !outcome.Ack.Success && outcome.Ack.Code == ErrorCode.TaskCancelled && outcome.Status == "cancelled");
        outcomes.Except(cancelled).Should().OnlyContain(
            outcome => outcome.Ack.Success && outcome.Cancel.Code == ErrorCode.InvalidTransition && outcome.Status == "completed");
        cancelled.Length.Should().BeInRange(1, Races - 1, "each wins some of the races");
    }

    [Fact]
    public async Task A_delivery_is_either_acknowledged_or_its_lease_expires()
    {
        var completed = await dbos.Client.Total("completed");
        var tasks = await TakeNew(leaseSeconds: 1);

        // Around the time at which the sweeps find the leases expired, which is up to a second after they are.
        var acks = await Task.WhenAll(tasks.Select(async (task, i) =>
        {
            await Task.Delay(500 + (2 * i));
            return (task.Id, Reply: await clients[i % Racers].Ack(task));
        }));
        var late = acks.Where(ack => !ack.Reply.Success).Select(ack => ack.Id).ToArray();

        acks.Should().OnlyContain(ack => ack.Reply.Success ? !ack.Reply.Duplicate : ack.Reply.Code == ErrorCode.LeaseLost);
        late.Length.Should().BeInRange(1, Races - 1, "each wins some of the races");
        (await dbos.Client.TasksOf(agent, "pending")).Should().OnlyContain(task => task.ExpiryCount == 1)
            .And.Subject.Select(task => task.Id).Should().BeEquivalentTo(late);
        (await dbos.Client.TasksOf(agent, "completed")).Should().HaveCount(Races - late.Length).And.OnlyContain(task => task.ExpiryCount == 0);
        (await dbos.Client.Total("completed") - completed).Should().Be(Races - late.Length);
        (await dbos.Client.ReadEvents("task_lease_expired", "agent_id", agent)).Select(told => told["task_id"]).Should().BeEquivalentTo(late);
    }

    private static async Task<ErrorCode[]> StaleCalls(WireTask task, DBOS.DBOSClient one, DBOS.DBOSClient other)
    {
        var (id, token) = (task.Id, task.LeaseToken);
        var ack = one.Ack(task);
        var nack = other.NackTaskAsync(new NackTaskRequest { TaskId = id, LeaseToken = token, RetryAtOnce = true });
        var extend = one.ExtendTaskLeaseAsync(new ExtendTaskLeaseRequest { TaskId = id, LeaseToken = token });
        return [(await ack).Code, (await nack).Code, (await extend).Code];
    }

    private async Task<List<(WireTask Task, AckTaskResponse Reply)>> TakeAndAckAll(DBOS.DBOSClient client)
    {
        var acks = new List<(WireTask, AckTaskResponse)>();
        while (await client.Take(agent, limit: 20) is { Count: > 0 } taken)
        {
            acks.AddRange(await Task.WhenAll(taken.Select(async task => (task, await client.Ack(task)))));
        }

        return acks;
    }

    private async Task<IReadOnlyList<WireTask>> TakeNew(long leaseSeconds = 0)
    {
        await dbos.Client.ScheduleSome(agent, Races);
        var taken = await dbos.Client.Take(agent, Races, leaseSeconds);
        taken.Should().HaveCount(Races);
        return taken;
    }

    private async Task<T[]> Race<T>(IReadOnlyList<WireTask> tasks, Func<WireTask, DBOS.DBOSClient, DBOS.DBOSClient, Task<T>> race)
    {
        var outcomes = new T[tasks.Count];
        await Parallel.ForAsync(0, tasks.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
            outcomes[i] = await race(tasks[i], clients[2 * i % Racers], clients[((2 * i) + 1) % Racers]));
        return outcomes;
    }
}

[Collection(SharedRedis.Name)]
public sealed class LeaseRacesOnRedis(SharedRedis dbos) : LeaseRaceTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class LeaseRacesOnCluster(SharedCluster shared) : LeaseRaceTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class LeaseRacesOnEmbedded(SharedEmbedded dbos) : LeaseRaceTests(dbos);
