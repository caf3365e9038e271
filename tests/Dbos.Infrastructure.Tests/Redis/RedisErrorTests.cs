using System.Diagnostics;
using Dbos.Application;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class RedisErrorTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A restart with some thousands of keys loads for seconds.</summary>
    private readonly RedisEngine engine = new() { ServerOptions = ["--key-load-delay", "400"] };
    private OpenStore dbos = null!;

    public async Task InitializeAsync()
    {
        await engine.InitializeAsync();
        dbos = await engine.Open(new OpenOptions());
    }

    public async Task DisposeAsync()
    {
        await dbos.DisposeAsync();
        await engine.DisposeAsync();
    }

    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", true)]
    [InlineData("LOADING Redis is loading the dataset in memory", true)]
    [InlineData("ERR Error running script (call to f_0): @user_script:30: @user_script: 30: -OOM command not allowed", true)]
    [InlineData("ERR Error running script (call to f_0): @user_script:30: -READONLY You can't write against a read only replica.", true)]
    [InlineData("ERR Error running script (call to f_0): @user_script:30: Script attempted to access nonexistent global variable 'x'", false)]
    [InlineData("NOAUTH Authentication required.", true)]
    [InlineData("WRONGPASS invalid username-password pair or user is disabled.", true)]
    [InlineData("NOPERM this user has no permissions to run the 'evalsha' command", true)]
    [InlineData("CROSSSLOT Keys in request don't hash to the same slot", false)]
    [InlineData("ERR value is not an integer or out of range", false)]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", false)]
    public void What_Redis_says_tells_an_outage_from_a_fault(string message, bool isOutage) =>
        RedisErrors.IsOutage(message).Should().Be(isOutage);

    [Theory]
    [InlineData("OOM", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0")]
    [InlineData("READONLY", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")]
    [InlineData("NOREPLICAS", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0")]
    public async Task That_Redis_cannot_write_now_is_an_outage_which_ends_with_its_cause(string error, string cause, string end)
    {
        await Write("before");

        await Command(cause);
        var write = () => Write("during");
        await write.Should().ThrowAsync<StoreUnavailableException>(error);
        await Command(end);

        await Testing.Eventually.True(() => Outage.IsOver(() => dbos.Send(Given.Result("after"))), Patience, "writes succeed");
        (await Find("during")).Should().BeFalse();
    }

    [Fact]
    public async Task A_full_Redis_refuses_an_ack_with_a_new_result_as_a_whole_and_takes_one_whose_result_it_has()
    {
        await dbos.SendAll([Given.Task(), Given.Task("t2"), Given.Result("t2")]);
        var tokens = (await dbos.Send(Given.Due())).Value.ToDictionary(task => task.Id, task => task.LeaseToken);
        await Command("CONFIG SET maxmemory 1");

        var ack = () => dbos.Send(Given.AckWith(tokens["t1"]));
        await ack.Should().ThrowAsync<StoreUnavailableException>();
        (await dbos.Send(Given.AckWith(tokens["t2"]) with { TaskId = "t2" })).IsRefused.Should().BeFalse();
        await Command("CONFIG SET maxmemory 0");

        (await dbos.Send(new GetTask("t1"))).Value.Status.Should().Be(MeasurementTaskStatus.Inflight);
        (await Find("t1")).Should().BeFalse();
        (await dbos.Send(new GetModuleState("t2"))).Value.State.Should().Be(RunState.Completed);
        await Testing.Eventually.True(() => Outage.IsOver(async () => (await ack()).IsRefused.Should().BeFalse()), Patience, "acks succeed");
    }

    [Fact]
    public async Task That_Redis_still_loads_is_an_outage_which_ends_when_it_has()
    {
        // Redis looks at its clients every 1,024 commands that it loads.
        await Fill(keys: 5_000);
        await Write("before");
        await engine.Server.Kill();
        await engine.Server.Start();

        var find = () => Find("before");
        await find.Should().ThrowAsync<StoreUnavailableException>();
        await Testing.Eventually.True(() => Outage.IsOver(find), TimeSpan.FromSeconds(20), "Redis has loaded");

        (await Find("before")).Should().BeTrue();
    }

    [Fact]
    public async Task That_Redis_is_gone_is_an_outage_to_an_audit_too()
    {
        await dbos.Send(Given.Task());
        await engine.Server.Kill();

        await Testing.Eventually.True(async () => !await Outage.IsOver(Audit), Patience, "the connection is known to be gone");
        await FluentActions.Awaiting(Audit).Should().ThrowAsync<StoreUnavailableException>();
        await engine.Server.Start();

        await Testing.Eventually.True(() => Outage.IsOver(Audit), Patience, "Redis is back");
        (await Audit()).Should().BeEmpty();
    }

    [Fact]
    public async Task An_audit_passes_over_what_is_another_stores()
    {
        await dbos.Send(Given.Task());
        await engine.Operator.GetDatabase().StringSetAsync($"{{{dbos.Settings.KeyPrefix}:more:3}}:task:t2", "text");
        await engine.Operator.GetDatabase().StringSetAsync($"{{{dbos.Settings.KeyPrefix}:more:3}}:queue:a1:ping", "text");

        (await Audit()).Should().BeEmpty();
    }

    [Fact]
    public async Task An_ERR_is_a_fault_and_not_an_outage()
    {
        var ask = () => dbos.Get<RedisConnection>().Ask((redis, _) => redis.ExecuteAsync("NO-SUCH-COMMAND"), 0, default);

        await ask.Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact]
    public async Task A_key_of_a_wrong_type_is_a_fault_and_not_an_outage()
    {
        var partitions = dbos.Get<RedisPartitions>();
        await engine.Operator.GetDatabase().HashSetAsync(partitions.Key(partitions.Of("r1"), "result:r1"), "field", "text");

        var find = () => Find("r1");
        await find.Should().ThrowAsync<InvalidOperationException>();
        var write = () => Write("r1");
        await write.Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact]
    public async Task That_scripts_are_forgotten_is_noticed_by_nobody()
    {
        await dbos.Send(Given.Task());
        await Command("SCRIPT FLUSH");
        (await dbos.Send(Given.Due())).Value.Should().ContainSingle();
        await Command("SCRIPT FLUSH");
        (await dbos.Send(Given.Result())).Value.Duplicate.Should().BeFalse();
        await Command("SCRIPT FLUSH");
        await dbos.Probe();
    }

    [Fact]
    public async Task Another_number_of_partitions_than_the_stores_is_refused_with_both_numbers()
    {
        await using var sixteen = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout", Partitions = 16 } });
        var open = () => engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout", Partitions = 8 } });

        (await open.Should().ThrowAsync<LayoutMismatchException>()).WithMessage("*'layout'*16*8*");
        await using var any = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout" } });
        any.Partitions.Should().Be(16, "it has what it was laid out with when no number is asked for");
    }

    [Fact]
    public async Task Before_the_store_is_open_every_call_is_an_outage_at_once()
    {
        await using var unopened = new OpenStore(dbos.Settings, dbos.Policy, (_, _) => throw new NotSupportedException());
        var since = Stopwatch.StartNew();
        var find = () => unopened.Send(new GetResult("a1", "r1"));

        await find.Should().ThrowAsync<StoreUnavailableException>();
        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_lease_is_by_the_clock_of_Redis_whatever_this_replicas_is()
    {
        await dbos.Send(Given.Task());
        dbos.Get<RedisClock>().Set(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(), 0);

        var taken = (await dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;

        taken.VisibleAt.Should().BeCloseTo(DateTimeOffset.UtcNow + dbos.Policy.LeaseDuration, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_probe_brings_the_clock_to_that_of_Redis()
    {
        var clock = dbos.Get<RedisClock>();
        clock.Set(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(), 0);

        await dbos.Probe();

        clock.GetUtcNow().Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromSeconds(2));
    }

    private async Task Write(string id) => (await dbos.Send(Given.Result(id))).Value.Duplicate.Should().BeFalse();

    private async Task<bool> Find(string id) => !(await dbos.Send(new GetResult("a1", id))).IsRefused;

    private async Task<IReadOnlyList<Inconsistency>> Audit()
    {
        var found = new List<Inconsistency>();
        await foreach (var slice in dbos.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace")))
        {
            found.AddRange(slice.Inconsistencies);
        }

        return found;
    }

    private async Task Command(string line)
    {
        var words = line.Split(' ');
        await engine.Operator.GetDatabase().ExecuteAsync(words[0], words[1..]);
    }

    private async Task Fill(int keys) => await Task.WhenAll(Enumerable.Range(0, keys).Select(
        number => engine.Operator.GetDatabase().StringSetAsync(new RedisKey($"other{number}"), number)));
}
