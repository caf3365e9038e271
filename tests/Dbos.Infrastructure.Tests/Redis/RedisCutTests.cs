using System.Diagnostics;
using System.Text;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
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
    private static readonly byte[] Takes = new RedisWrite("take_tasks", RedisWrite.Nothing, (_, _) => throw new NotSupportedException()).Pattern;

    public static IEnumerable<object[]> Cuts() =>
        from name in RedisWrite.All.Keys
        from point in Enum.GetValues<CutPoint>().Except([CutPoint.Silent])
        select new object[] { name, point };

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task A_cut_is_noticed_by_nobody_and_the_write_is_done_once(string name, CutPoint point)
    {
        var write = RedisWrite.All[name];
        var whole = await EffectWithoutCut(write.Before, dbos => write.Act(dbos, Key));
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);
        await write.Before(dbos);

        string[] answers = [];
        var effect = await EffectOfCut(proxy, write.Pattern, point, dbos, async () => answers = await write.Act(dbos, Key));
        string[] again = [];
        var effectAgain = await dbos.EffectOf(async () => again = await write.Act(dbos, Key));

        effect.Should().Be(whole).And.NotBeEmpty();
        answers.Where(answer => answer != "done").Should().BeEmpty();
        again.Should().NotContain("done");
        effectAgain.Split('\n').Should().OnlyContain(change => change.Length == 0 || change.Contains("refusals", StringComparison.Ordinal));
    }

    /// <summary>A hundred are one script. If they were not returned, no caller would hold them until their lease expires.</summary>
    [Fact]
    public async Task What_a_take_leased_before_an_outage_is_returned()
    {
        var second = "\r\n$2\r\n50\r\n"u8.ToArray();
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);
        await dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 150).Select(number => Given.Task($"t{number}"))]));
        proxy.CutAt(CutPoint.BeforeReply, second);

        (await dbos.Send(Given.Due(limit: 150))).Value.Should().HaveCount(100);
    }

    /// <summary>Done again, it would end somebody else's delivery.</summary>
    [Fact]
    public async Task A_nack_of_any_delivery_whose_reply_is_lost_while_others_go_on_is_done_once()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);
        await using var others = await Beside(dbos);
        await RedisWrite.Delivered(dbos);
        proxy.CutAt(CutPoint.BeforeReply, RedisWrite.All["nack"].Pattern, meanwhile: async () => await others.Send(Due));

        (await dbos.Send(Given.Nack(token: 0))).Value.Duplicate.Should().BeFalse();

        await ShouldGoOn(others, deliveries: 2);
        (await dbos.Lines()).Should().ContainSingle(line => line.Contains("\"type\":\"task_nacked\"", StringComparison.Ordinal));
    }

    /// <summary>Asked again, it would be refused what it was granted.</summary>
    [Fact]
    public async Task An_extension_whose_reply_is_lost_while_others_go_on_is_an_outage_and_done_once()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);
        await using var others = await Beside(dbos);
        await RedisWrite.Delivered(dbos);
        var token = await RedisWrite.TokenOf(dbos);
        proxy.CutAt(CutPoint.BeforeReply, RedisWrite.All["extend"].Pattern, meanwhile: async () =>
        {
            await others.Send(Given.Nack(token: token));
            await others.Send(Due);
        });

        var send = () => dbos.Send(new ExtendTaskLease("t1", token, Seconds: 600));
        await send.Should().ThrowAsync<StoreUnavailableException>();

        await ShouldGoOn(others, deliveries: 2);
        (await dbos.Send(new GetQueueStats())).Value.Totals["lease_extended"].Should().Be(1);
    }

    /// <summary>All kinds at once, as each waits for as long as a call may; what is to be ready before is made ready one by one.</summary>
    [Fact]
    public async Task A_reply_that_never_comes_is_an_outage_and_the_write_sent_again_does_nothing_more()
    {
        var silences = new List<Func<Task>>();
        foreach (var name in RedisWrite.All.Keys.Except(["expire"]))
        {
            silences.Add(await AgainAfterSilence(name));
        }

        await Task.WhenAll(silences.Select(silence => silence()));
    }

    [Theory]
    [InlineData(CutPoint.BeforeRequest)]
    [InlineData(CutPoint.WithinRequest)]
    [InlineData(CutPoint.BeforeReply)]
    public async Task A_cut_leaves_tasks_either_leased_or_waiting(CutPoint point)
    {
        var whole = await EffectWithoutCut(RedisWrite.Scheduled, dbos => dbos.Send(Due));
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);
        await RedisWrite.Scheduled(dbos);

        var effect = await EffectOfCut(proxy, Takes, point, dbos, async () =>
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
    public async Task A_cut_is_noticed_by_nobody_and_a_batch_of_several_scripts_is_done_once(CutPoint point)
    {
        const int Tasks = 200;
        var batch = new ScheduleTasks([.. Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}"))]);
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);

        Answer<IReadOnlyList<Answer<Written>>> answers = default;
        await EffectOfCut(proxy, Encoding.UTF8.GetBytes("task_scheduled"), point, dbos, async () => answers = await dbos.Send(batch));

        answers.Value.Should().HaveCount(Tasks).And.OnlyContain(answer => !answer.Value.Duplicate);
        (await UntilAnswered(() => dbos.Send(Given.Due(limit: 1_000)))).Value.Should().HaveCount(Tasks);
        (await dbos.Lines()).Should().Contain($"count scheduled {Tasks}, lately {Tasks}");
    }

    [Fact]
    public async Task Calls_in_flight_on_a_connection_that_breaks_fail_and_the_next_ones_are_served()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await Open(proxy.Address);

        proxy.CutNow();

        (await UntilAnswered(() => dbos.Send(Given.Result()))).IsRefused.Should().BeFalse();
    }

    private async Task<Func<Task>> AgainAfterSilence(string name)
    {
        var write = RedisWrite.All[name];
        var whole = await EffectWithoutCut(write.Before, dbos => write.Act(dbos, Key));
        var proxy = new TcpProxy(engine.Server.Port);
        var dbos = await engine.Open(OnePartition, proxy.Address);
        await write.Before(dbos);
        return async () =>
        {
            await using var proxied = proxy;
            await using var opened = dbos;
            var effect = await EffectOfCut(proxy, write.Pattern, CutPoint.Silent, dbos, async () =>
            {
                var since = Stopwatch.StartNew();
                var send = () => write.Act(dbos, Key);
                await send.Should().ThrowAsync<StoreUnavailableException>(name);
                since.Elapsed.Should().BeLessThan(LongestCall);
            });

            // A write whose own answer is lost too, on the dead connection, could not tell that it had been done before.
            await UntilAnswered(() => dbos.Get<IResultRepository>().Find("none", "none", default));
            string[] again = [];
            var effectAgain = await dbos.EffectOf(async () => again = await write.Act(dbos, Key));
            effect.Should().Be(whole, name).And.NotBeEmpty();
            again.Should().NotContain("done", name);
            effectAgain.Split('\n').Should().OnlyContain(change => change.Length == 0 || change.Contains("refusals", StringComparison.Ordinal), name);
        };
    }

    private static OpenOptions OnePartition { get; } = new() { Settings = settings => settings with { Partitions = 1 } };

    private Task<OpenStore> Open(string address) => engine.Open(OnePartition, address);

    /// <summary>The same store, past the proxy.</summary>
    private async Task<OpenStore> Beside(OpenStore dbos)
    {
        var beside = new OpenStore(dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException());
        await beside.Get<IStoreConnection>().Open(default);
        return beside;
    }

    private static async Task ShouldGoOn(OpenStore others, int deliveries)
    {
        var task = (await others.Send(new GetTask("t1"))).Value;
        (task.Status, task.Deliveries, task.Failures).Should().Be((MeasurementTaskStatus.Inflight, deliveries, 1), "the latest delivery goes on");
    }

    private static Task<string> EffectOfCut(TcpProxy proxy, byte[] pattern, CutPoint point, OpenStore dbos, Func<Task> send)
    {
        proxy.CutAt(point, pattern);
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
        await using var dbos = await engine.Open(OnePartition);
        await before(dbos);
        return await dbos.EffectOf(() => act(dbos));
    }
}
