using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>A Redis user who may not run a command by which scripts write.</summary>
public sealed class RedisRightsTests : IAsyncLifetime
{
    private readonly RedisEngine engine = new();

    public static TheoryData<string> Commands =>
        ["DEL", "SET", "EXPIRE", "HSETNX", "HSET", "HINCRBY", "ZADD", "ZREM", "ZREMRANGEBYSCORE", "XADD"];

    public Task InitializeAsync() => engine.InitializeAsync();

    public Task DisposeAsync() => engine.DisposeAsync();

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Without_a_right_nothing_is_served_or_written_and_the_outage_names_the_command(string command)
    {
        await Set('-', command);
        var open = async () => await engine.Open(new OpenOptions());

        (await open.Should().ThrowAsync<StoreUnavailableException>())
            .WithInnerException<Exception>().WithMessage($"NOPERM DBOS needs the right to run {command}: *");

        await Set('+', command);
        await using var dbos = await engine.Open(new OpenOptions());
        (await dbos.Send(Given.Task())).IsRefused.Should().BeFalse();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    [InlineData("PUBLISH")]
    public async Task A_store_whose_right_is_taken_away_is_closed_by_the_next_probe_until_it_is_given_back(string command)
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await Set('-', command);
        var probe = async () => await dbos.Probe();
        var write = async () => (await dbos.Send(Given.Task())).Value;

        await probe.Should().ThrowAsync<StoreUnavailableException>();
        await write.Should().ThrowAsync<StoreUnavailableException>();

        await Set('+', command);
        await dbos.Get<IStoreConnection>().Open(CancellationToken.None);
        (await write()).Duplicate.Should().BeFalse();
    }

    [Fact]
    public async Task A_user_of_no_other_keys_and_channels_than_the_stores_is_served()
    {
        await engine.Server.Ask("acl", "setuser", "default", "resetkeys", "~{rights:*", "resetchannels", "&rights:*");

        await using var dbos = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "rights" } });

        (await dbos.Send(Given.Task())).IsRefused.Should().BeFalse();
        await dbos.Probe();
    }

    private async Task Set(char sign, string command) => await engine.Server.Ask("acl", "setuser", "default", $"{sign}{command.ToLowerInvariant()}");
}
