using Dbos.Application.Tasks;
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
    public async Task All_keys_of_a_request_lie_under_one_hash_tag_and_those_of_an_agent_under_its_own()
    {
        const string Agent = "agent of another partition";
        await using var dbos = await engine.Open(new OpenOptions { Settings = settings => settings with { Partitions = 16 } });
        await dbos.Send(Given.State(Id, agentId: Agent), idempotencyKey: "k1");
        await dbos.Send(Given.State(Id, "completed", agentId: Agent));
        await dbos.Send(Given.State(Id, agentId: "second agent"));
        await dbos.Send(Given.Result(Id, agentId: Agent), idempotencyKey: "k1");
        await dbos.Send(Given.Result(Id, agentId: "second agent"));
        await dbos.Send(Given.Task(Id, agentId: Agent), idempotencyKey: "k1");
        var task = (await dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;
        (await dbos.Send(new AckTask(Id, task.LeaseToken + 1))).IsRefused.Should().BeTrue();
        await dbos.Send(new AckTask(Id, task.LeaseToken), idempotencyKey: "k2");

        var keys = await Keys(dbos);

        keys.Should().HaveCountGreaterThan(20).And.OnlyContain(key => key.StartsWith(TagOf(dbos, Id)));
        keys.Should().Contain(key => key.EndsWith("}:events")).And.Contain(key => key.EndsWith("}:refusals"));
        await dbos.Send(Given.Heartbeat(Agent), idempotencyKey: "k1");
        (await Keys(dbos)).Except(keys).Should().NotBeEmpty().And.OnlyContain(key => key.StartsWith(TagOf(dbos, Agent)));
        TagOf(dbos, Agent).Should().NotBe(TagOf(dbos, Id));
    }

    [Fact]
    public void The_first_partition_has_the_same_keys_whatever_their_number() =>
        new[] { 1, 3, 16, 64 }.Select(partitions => new RedisKeys("dbos", partitions).Of(0, "layout").ToString())
            .Should().OnlyContain(key => key == "{dbos:0}:layout");

    private static string TagOf(OpenStore dbos, string id) => dbos.Get<RedisPartitions>().Key(dbos.Get<RedisPartitions>().Of(id), string.Empty).ToString();

    private async Task<string[]> Keys(OpenStore dbos) => await engine.Operator.GetServer(engine.Server.Address)
        .KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*").Select(key => key.ToString())
        .Where(key => !key.EndsWith("}:layout", StringComparison.Ordinal))
        .ToArrayAsync();
}
