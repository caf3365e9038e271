using System.Diagnostics;
using System.Text;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>The connection to Redis is cut at each point of a command.</summary>
[Collection(Undisturbed.Name)]
public sealed class RedisCutTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private const string Key = "k1";
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(3);
    private static readonly ListDueTasks Due = Given.Due();

    /// <summary>By the event that its one script tells of it: what goes before, and the command.</summary>
    private static readonly Dictionary<string, (Func<OpenStore, Task> Before, IWrite Write)> Writes = new()
    {
        ["agent_registered"] = (Nothing, Given.Heartbeat()),
        ["module_state_updated"] = (Nothing, Given.State()),
        ["result_stored"] = (Nothing, Given.Result()),
        ["task_scheduled"] = (Nothing, Given.Task()),
        ["task_acknowledged"] = (Delivered, new AckTask("t1", LeaseToken: 1)),
        ["task_nacked"] = (Delivered, Given.Nack(delaySeconds: 60)),
        ["task_dead_lettered"] = (FailedOnce, Given.Nack(token: 2)),
        ["task_lease_extended"] = (Delivered, new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 600)),
        ["task_cancelled"] = (Delivered, new CancelTask("t1", "no longer wanted")),
        ["task_deleted"] = (Dead, new DeleteDeadLetterTask("t1")),
    };

    public static IEnumerable<object[]> Cuts() =>
        from told in Writes.Keys
        from point in Enum.GetValues<CutPoint>().Except([CutPoint.Silent])
        select new object[] { told, point };

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task A_cut_is_noticed_by_nobody_and_the_write_is_done_once(string told, CutPoint point)
    {
        var (before, write) = Writes[told];
        var whole = await EffectWithoutCut(before, dbos => dbos.Send(write, Key));
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await before(dbos);
        var empty = await dbos.Lines();

        Answer<Written> answer = default;
        var effect = await EffectOfCut(proxy, told, point, dbos, async () => answer = await dbos.Send(write, Key));
        Answer<Written> again = default;
        var effectAgain = await dbos.EffectOf(async () => again = await dbos.Send(write, Key));

        (effect, effectAgain).Should().Be((whole, string.Empty));
        (answer.Value.Duplicate, again.Value.Duplicate).Should().Be((false, true));
        (await dbos.Lines()).Except(empty).Where(line => line.Contains(Told(told), StringComparison.Ordinal)).Should().ContainSingle();
    }

    public static TheoryData<string, IWrite> Unmarked() => new()
    {
        { "task_nacked", Given.Nack(token: 0) },
        { "task_lease_extended", new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 600) },
    };

    /// <summary>Done again, the one would end somebody else's delivery, and the other be refused what it was granted.</summary>
    [Theory]
    [MemberData(nameof(Unmarked))]
    public async Task A_write_without_a_mark_whose_reply_is_lost_while_others_go_on_is_an_outage_and_done_once(string told, IWrite write)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await using var others = new OpenStore(dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException());
        await others.Get<IStoreConnection>().Open(default);
        await Delivered(dbos);
        proxy.CutAt(CutPoint.BeforeReply, Encoding.UTF8.GetBytes(Told(told)), meanwhile: async () =>
        {
            await others.Send(Given.Nack());
            await others.Send(Due);
        });

        var send = () => dbos.Send(write);
        await send.Should().ThrowAsync<StoreUnavailableException>();

        var task = (await others.Send(new GetTask("t1"))).Value;
        (task.Status, task.LeaseToken, task.Failures).Should().Be((MeasurementTaskStatus.Inflight, 2, 1), "the second delivery goes on");
        (await dbos.Lines()).Where(line => line.Contains(Told(told), StringComparison.Ordinal)).Should().ContainSingle();
    }

    /// <summary>All kinds at once, as each waits for as long as a call may; what is to be ready before is made ready one by one.</summary>
    [Fact]
    public async Task A_reply_that_never_comes_is_an_outage_and_the_write_sent_again_is_a_replay()
    {
        var silences = new List<Func<Task>>();
        foreach (var told in Writes.Keys)
        {
            silences.Add(await ReplayAfterSilence(told));
        }

        await Task.WhenAll(silences.Select(silence => silence()));
    }

    [Theory]
    [InlineData(CutPoint.BeforeRequest)]
    [InlineData(CutPoint.WithinRequest)]
    [InlineData(CutPoint.BeforeReply)]
    public async Task A_cut_leaves_tasks_either_leased_or_waiting(CutPoint point)
    {
        var whole = await EffectWithoutCut(Scheduled, dbos => dbos.Send(Due));
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await Scheduled(dbos);

        var effect = await EffectOfCut(proxy, "tasks_retrieved", point, dbos, async () =>
        {
            var take = () => dbos.Send(Due);
            await take.Should().ThrowAsync<StoreUnavailableException>("a take is not sent twice");
        });
        var again = await UntilAnswered(() => dbos.Send(Due));

        effect.Should().Be(point == CutPoint.BeforeReply ? whole : string.Empty);
        again.Value.Should().HaveCount(point == CutPoint.BeforeReply ? 0 : 1);
    }

    [Theory]
    [InlineData(CutPoint.BeforeRequest)]
    [InlineData(CutPoint.WithinRequest)]
    [InlineData(CutPoint.BeforeReply)]
    public async Task A_cut_is_noticed_by_nobody_and_a_batch_is_done_once(CutPoint point)
    {
        const int Tasks = 200;
        var batch = new ScheduleTasks([.. Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}"))]);
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(
            new OpenOptions { Settings = settings => settings with { Partitions = 1 } }, proxy.Address);

        Answer<IReadOnlyList<Answer<Written>>> answers = default;
        await EffectOfCut(proxy, "task_scheduled", point, dbos, async () => answers = await dbos.Send(batch));

        answers.Value.Should().HaveCount(Tasks).And.OnlyContain(answer => !answer.Value.Duplicate);
        (await UntilAnswered(() => dbos.Send(Given.Due(limit: 1_000)))).Value.Should().HaveCount(Tasks);
        (await dbos.Lines()).Should().Contain($"count scheduled {Tasks}, lately {Tasks}");
    }

    [Fact]
    public async Task Calls_in_flight_on_a_connection_that_breaks_fail_and_the_next_ones_are_served()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);

        proxy.CutNow();

        (await UntilAnswered(() => dbos.Send(Given.Result()))).IsRefused.Should().BeFalse();
    }

    private async Task<Func<Task>> ReplayAfterSilence(string told)
    {
        var (before, write) = Writes[told];
        var whole = await EffectWithoutCut(before, dbos => dbos.Send(write, Key));
        var proxy = new TcpProxy(engine.Server.Port);
        var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await before(dbos);
        return async () =>
        {
            await using var proxied = proxy;
            await using var opened = dbos;
            var effect = await EffectOfCut(proxy, told, CutPoint.Silent, dbos, async () =>
            {
                var since = Stopwatch.StartNew();
                var send = () => dbos.Send(write, Key);
                await send.Should().ThrowAsync<StoreUnavailableException>(told);
                since.Elapsed.Should().BeLessThan(LongestCall);
            });

            // A write whose own answer is lost too, on the dead connection, could not tell that it had been done before.
            await UntilAnswered(() => dbos.Port.Counts(partition: 0, bucket: null, default));
            Answer<Written> again = default;
            var effectAgain = await dbos.EffectOf(async () => again = await dbos.Send(write, Key));
            (effect, effectAgain, again.Value.Duplicate).Should().Be((whole, string.Empty, true));
        };
    }

    private static Task Nothing(OpenStore dbos) => Task.CompletedTask;

    private static Task Scheduled(OpenStore dbos) => dbos.Send(Given.Task());

    private static async Task Delivered(OpenStore dbos)
    {
        await Scheduled(dbos);
        await dbos.Send(Due);
    }

    private static async Task FailedOnce(OpenStore dbos)
    {
        await dbos.Send(Given.Task(maxRetries: 1));
        await dbos.Send(Due);
        await dbos.Send(Given.Nack());
        await dbos.Send(Due);
    }

    private static async Task Dead(OpenStore dbos)
    {
        await FailedOnce(dbos);
        await dbos.Send(Given.Nack(token: 2));
    }

    private static string Told(string type) => $"\"type\":\"{type}\"";

    private static Task<string> EffectOfCut(TcpProxy proxy, string told, CutPoint point, OpenStore dbos, Func<Task> send)
    {
        proxy.CutAt(point, Encoding.UTF8.GetBytes(Told(told)));
        return dbos.EffectOf(send);
    }

    private static async Task<T> UntilAnswered<T>(Func<Task<T>> send)
    {
        T? answer = default;
        await Eventually.True(() => Outage.IsOver(async () => answer = await send()), Reconnect, "the store answers again");
        return answer!;
    }

    private async Task<string> EffectWithoutCut(Func<OpenStore, Task> before, Func<OpenStore, Task> act)
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await before(dbos);
        return await dbos.EffectOf(() => act(dbos));
    }
}
