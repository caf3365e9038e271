using System.Globalization;
using System.Text;
using Dbos.Application;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;
using Dbos.Testing;
using StackExchange.Redis;
using Xunit.Abstractions;

namespace Dbos.Infrastructure.Tests.ModuleStates;

/// <summary>All or nothing, once and not twice, and at what cost: the scripts of module states on Redis.</summary>
[Collection(Undisturbed.Name)]
public sealed class ModuleStateScriptTests(RedisEngine engine, ITestOutputHelper output) : IClassFixture<RedisEngine>
{
    private const int Keys = 20_000;
    private const int MostBytesOfAState = 800;

    private static readonly OpenOptions OnePartition = new() { Settings = settings => settings with { Partitions = 1 } };

    private static readonly byte[] Told = Encoding.UTF8.GetBytes("\"type\":\"module_state_updated\"");

    public static TheoryData<string, IWrite> KeysOfAReport => new()
    {
        { "state:r1", Given.State() },
        { "states:both:a1:ping", Given.State() },
        { "states:module:ping", Given.State() },
        { "states:agent:a1", Given.State() },
        { "states:modules", Given.State() },
        { "mark:SetModuleState:named:r1:k1", Given.State() },
        { "states:request:r1", Given.State() },
        { "life:a1:ping", Given.State(string.Empty) },
        { "state:r0:a1", Given.State("r0") },
        { "states:request:r0", Given.State("r0") },
        { "states:both:a0:ping", Given.State("r0", "completed", "a0") },
        { "states:module:ping", Given.State("r0", "completed", "a0") },
        { "states:request:r0", Given.State("r0", "completed", "a0") },
    };

    [Theory]
    [MemberData(nameof(KeysOfAReport))]
    public async Task A_report_that_meets_a_key_of_another_type_changes_nothing(string key, IWrite report)
    {
        await using var dbos = await engine.Open(OnePartition);
        await dbos.Send(Given.State("r0", agentId: "a0"));
        await Spoil(dbos, key);
        var before = await Dump(dbos);

        var send = () => dbos.Send(report, "k1");
        await send.Should().ThrowAsync<InvalidOperationException>();

        (await Dump(dbos)).Should().Equal(before);
    }

    [Theory]
    [InlineData("life:a1:m5")]
    [InlineData("states:both:a1:m5")]
    [InlineData("states:module:m5")]
    [InlineData("states:agent:a1")]
    [InlineData("states:modules")]
    [InlineData("states:request:shared")]
    public async Task An_import_that_meets_a_key_of_another_type_changes_nothing(string key)
    {
        await using var dbos = await engine.Open(OnePartition);
        await dbos.Send(Given.State("shared", agentId: "a0"));
        await Spoil(dbos, key);
        var before = await Dump(dbos);
        var states = Enumerable.Range(0, 9).Select(number => StoredOf(string.Empty, "a1", $"m{number}")).Append(StoredOf("shared", "a1", "m9"));

        var import = () => dbos.Get<ISubjectTransfer<StoredModuleState>>().Import([.. states], default);
        await import.Should().ThrowAsync<InvalidOperationException>();

        (await Dump(dbos)).Should().Equal(before);
    }

    [Fact]
    public async Task An_event_that_cannot_be_written_does_not_fail_a_report()
    {
        await using var dbos = await engine.Open(OnePartition);
        await Spoil(dbos, "events");

        (await dbos.Send(Given.State())).Value.Version.Should().Be(1);
    }

    public static TheoryData<CutPoint, string, string> Cuts()
    {
        var cuts = new TheoryData<CutPoint, string, string>();
        foreach (var point in Enum.GetValues<CutPoint>().Except([CutPoint.Silent]))
        {
            cuts.Add(point, "r1", "running");
            cuts.Add(point, "r0", "completed");
            cuts.Add(point, string.Empty, "running");
        }

        return cuts;
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task A_report_whose_answer_is_lost_is_done_once_and_answered_as_done(CutPoint point, string requestId, string state)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await dbos.Send(Given.State("r0"));
        await dbos.Send(Given.State(string.Empty, "created"));
        var version = requestId == "r1" ? 1 : 2;
        proxy.CutAt(point, Told);

        Answer<Written> answer = default;
        var effect = await dbos.EffectOf(async () => answer = await dbos.Send(Given.State(requestId, state)));

        answer.Value.Should().Be(new Written(version, Duplicate: false));
        effect.Split('\n').Where(line => line.StartsWith("+ events", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Theory]
    [InlineData("r1", "completed")]
    [InlineData("", "stopped")]
    public async Task A_report_whose_answer_is_lost_while_another_goes_on_is_an_outage_and_never_a_refusal(string requestId, string next)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await using var others = new OpenStore(dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException());
        await others.Get<IStoreConnection>().Open(default);

        // A script that the server does not know yet is sent twice anyway.
        await others.Send(Given.State("r0", agentId: "a0"));
        proxy.CutAt(CutPoint.BeforeReply, Told, meanwhile: () => others.Send(Given.State(requestId, next)));

        var send = () => dbos.Send(new SetModuleState(Given.State(requestId).State, ExpectedVersion: 0));
        await send.Should().ThrowAsync<StoreUnavailableException>();

        var states = (await others.Send(new ListModuleStates("a1", string.Empty, new(0, string.Empty)))).Value.Items;
        states.Should().ContainSingle().Which.Should().Match<ModuleState>(state => state.State.Word() == next && state.Version == 2);
    }

    [Fact]
    public async Task A_state_takes_no_more_than_800_bytes_of_redis_with_all_its_indexes()
    {
        await using var server = new RedisEngine { ServerOptions = ["--activerehashing", "no"] };
        await server.InitializeAsync();
        await using var dbos = await server.Open(OnePartition);
        var before = await Memory();

        await dbos.SendAll(Enumerable.Range(0, Keys).Select(number => Given.State(Request(number), "running", $"agent-{number % 100}")));
        await dbos.SendAll(Enumerable.Range(0, Keys).Select(number => Given.State(Request(number), "completed", $"agent-{number % 100}")));

        var each = (await Memory() - before) / Keys;
        output.WriteLine($"bytes of Redis for each state: {each}; {(await server.Server.Ask("INFO", "commandstats")).Split('\n').First(line => line.Contains("evalsha", StringComparison.Ordinal))}");
        each.Should().BeLessThanOrEqualTo(MostBytesOfAState);

        async Task<long> Memory()
        {
            var info = await server.Server.Ask("INFO", "memory");
            var used = info.Split('\n').Single(line => line.StartsWith("used_memory:", StringComparison.Ordinal))["used_memory:".Length..].Trim();
            var events = await server.Operator.GetDatabase().ExecuteAsync("MEMORY", "USAGE", RedisKeys.OfFirst(dbos.Settings.KeyPrefix).Of(0, "events").ToString(), "SAMPLES", "0");
            return long.Parse(used, CultureInfo.InvariantCulture) - (events.IsNull ? 0 : (long)events);
        }

        static string Request(int number) => new Guid(number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString();
    }

    private static StoredModuleState StoredOf(string requestId, string agentId, string moduleName) => new(
        new ModuleState(agentId, moduleName, RunState.Running, string.Empty, new Dictionary<string, string>(), Given.LongAgo, requestId, 1), ChangedAt: 1);

    /// <summary>A hash, where no key of states is one.</summary>
    private async Task Spoil(OpenStore dbos, string name)
    {
        var redis = engine.Operator.GetDatabase();
        var key = RedisKeys.OfFirst(dbos.Settings.KeyPrefix).Of(0, name);
        await redis.KeyDeleteAsync(key);
        await redis.HashSetAsync(key, "spoilt", 1);
    }

    private async Task<string[]> Dump(OpenStore dbos)
    {
        var redis = engine.Operator.GetDatabase();
        var keys = await engine.Operator.GetServer(engine.Server.Address).KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*")
            .Select(key => key.ToString()).Where(key => !key.EndsWith(":probe", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArrayAsync();
        return await Task.WhenAll(keys.Select(async key => $"{key} {Convert.ToHexString((await redis.KeyDumpAsync(key))!)}"));
    }
}
