using Dbos.Application.Tasks;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class RedisKeysTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private const string Id = "измерение:1";

    [Fact]
    public void A_key_is_a_name_behind_its_partitions_hash_tag() =>
        new RedisKeys("dbos", 16).Of(new StoreKey(3, "agent:a1")).ToString().Should().Be("{dbos:3}:agent:a1");

    [Fact]
    public async Task Every_key_of_a_record_lies_in_the_partition_of_its_id()
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await dbos.Send(Given.Heartbeat(Id), idempotencyKey: "k1");
        await dbos.Send(Given.State(Id, agentId: "agent of another partition"));
        await dbos.Send(Given.State(string.Empty, "started", agentId: Id));
        await dbos.Send(Given.Result(Id, agentId: "agent of another partition"));
        await dbos.Send(Given.Task(Id));
        await dbos.Send(Given.Due());
        await dbos.Send(new AckTask(Id, LeaseToken: 9));

        var keys = await engine.Operator.GetServer(engine.Server.Address)
            .KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*").Select(key => key.ToString())
            .Where(key => !key.EndsWith("}:layout", StringComparison.Ordinal))
            .ToArrayAsync();

        var tag = new RedisKeys(dbos.Settings.KeyPrefix, dbos.Port.Partitions).Of(dbos.Port.PartitionOf(Id), string.Empty).ToString();
        keys.Should().HaveCountGreaterThan(15).And.OnlyContain(key => key.StartsWith(tag));
    }

    [Fact]
    public void The_first_partition_has_the_same_keys_whatever_their_number() =>
        new[] { 1, 3, 16, 64 }.Select(partitions => new RedisKeys("dbos", partitions).Of(0, "layout").ToString())
            .Should().OnlyContain(key => key == "{dbos:0}:layout");
}
