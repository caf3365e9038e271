using System.Diagnostics;
using Dbos.Application;
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

    /// <summary>Without the circuit breaker, so that each call is the engine's own answer.</summary>
    private RedisStore Store => dbos.Get<RedisStore>();

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

        await Testing.Eventually.True(() => Outage.IsOver(() => Write("after")), Patience, "writes succeed");
        (await Store.Find(new StoreKey(0, "during"), default)).Should().BeNull();
    }

    [Fact]
    public async Task That_Redis_still_loads_is_an_outage_which_ends_when_it_has()
    {
        // Redis looks at its clients every 1,024 commands that it loads.
        await Fill(keys: 5_000);
        await Write("before");
        await engine.Server.Kill();
        await engine.Server.Start();

        var find = () => Store.Find(new StoreKey(0, "before"), default);
        await find.Should().ThrowAsync<StoreUnavailableException>();
        await Testing.Eventually.True(() => Outage.IsOver(find), TimeSpan.FromSeconds(20), "Redis has loaded");

        (await Store.Find(new StoreKey(0, "before"), default)).Should().NotBeNull();
    }

    [Fact]
    public async Task That_Redis_is_gone_is_an_outage_to_an_audit_too()
    {
        await Write("before");
        await engine.Server.Kill();
        var names = () => Store.Names(["before"], cursor: null, default);

        await Testing.Eventually.True(async () => !await Outage.IsOver(names), Patience, "the connection is known to be gone");
        await names.Should().ThrowAsync<StoreUnavailableException>();
        await engine.Server.Start();

        await Testing.Eventually.True(() => Outage.IsOver(names), Patience, "Redis is back");
        (await names()).Names.Should().Equal(new StoreKey(0, "before"));
    }

    [Fact]
    public async Task An_audit_passes_over_what_is_another_stores()
    {
        await Write("record");
        await engine.Operator.GetDatabase().StringSetAsync($"{{{dbos.Settings.KeyPrefix}:more:3}}:record", "text");

        (await Store.Names(["record"], cursor: null, default)).Names.Should().Equal(new StoreKey(0, "record"));
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
        await engine.Operator.GetDatabase().StringSetAsync($"{{{dbos.Settings.KeyPrefix}:0}}:record", "text");

        var find = () => Store.Find(new StoreKey(0, "record"), default);
        await find.Should().ThrowAsync<InvalidOperationException>();
        var write = () => Write("record");
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
        await dbos.Port.Probe(Given.Watch, default);
    }

    [Fact]
    public async Task Another_number_of_partitions_than_the_stores_is_refused_with_both_numbers()
    {
        await using var sixteen = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout" } });
        var open = () => engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout", Partitions = 8 } });

        (await open.Should().ThrowAsync<LayoutMismatchException>()).WithMessage("*'layout'*16*8*");
        await using var again = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "layout" } });
    }

    [Fact]
    public async Task Before_the_store_is_open_every_call_is_an_outage_at_once()
    {
        await using var unopened = new OpenStore(dbos.Settings, dbos.Policy, (_, _) => throw new NotSupportedException());
        var since = Stopwatch.StartNew();
        var find = () => unopened.Port.Find(new StoreKey(0, "record"), default);

        await find.Should().ThrowAsync<StoreUnavailableException>();
        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_lease_is_by_the_clock_of_Redis_whatever_this_replicas_is()
    {
        await dbos.Send(Given.Task());
        dbos.Get<RedisClock>().Hear(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp());

        var taken = (await dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;

        taken.VisibleAt.Should().BeCloseTo(DateTimeOffset.UtcNow + dbos.Policy.LeaseDuration, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_probe_brings_the_clock_to_that_of_Redis()
    {
        var clock = dbos.Get<RedisClock>();
        clock.Hear(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp());

        await Store.Probe(Given.Watch, default);

        clock.GetUtcNow().Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromSeconds(2));
    }

    private async Task Write(string record) =>
        (await Store.Commit(new Commit(0, record, 0, "v1"u8.ToArray()), default)).Should().BeOfType<CommitOutcome.Done>();

    private async Task Command(string line)
    {
        var words = line.Split(' ');
        await engine.Operator.GetDatabase().ExecuteAsync(words[0], words[1..]);
    }

    private async Task Fill(int keys) => await Task.WhenAll(Enumerable.Range(0, keys).Select(
        number => engine.Operator.GetDatabase().StringSetAsync(new RedisKey($"other{number}"), number)));
}
