using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.Results;

public abstract class ResultRepositoryTests(IEngine engine) : StoreTests(engine)
{
    private static readonly Written New = new(1, Duplicate: false);
    private static readonly Written Duplicate = new(1, Duplicate: true);
    private static readonly Written Different = new(1, Duplicate: true) { ContentDiffers = true };

    private IResultRepository Results => Dbos.Get<IResultRepository>();

    [Fact]
    public async Task A_result_lands_with_its_event()
    {
        var effect = (await Dbos.EffectOf(Given.Result())).Split('\n');

        effect.Where(line => line.Contains("events ", StringComparison.Ordinal)).Should().Equal(
            """+ events {"type":"result_stored","message":"result r1 of agent a1 stored","metadata":{"agent_id":"a1","module_name":"unknown","request_id":"r1","bytes":"9"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}""");
        effect.Should().NotContain(line => line.Contains("mark", StringComparison.Ordinal), "the result is its own mark");
    }

    [Fact]
    public async Task All_that_was_told_and_filled_in_comes_back()
    {
        var told = Given.Result().Result! with
        {
            ModuleName = "ping ü\U0001F600",
            Timestamp = 253_402_300_799,
            ReceivedAt = 1,
            AgentStartTime = 1_600_000_000,
            AgentRuntimeVersion = new string('v', 70_000),
            ModuleRevision = "r:%",
            DbosServerId = "s",
            IngestSource = "file",
        };

        (await Dbos.Send(new StoreResult(told))).Value.Should().Be(New);

        var found = (await Dbos.Send(new GetResult("a1", "r1"))).Value;
        found.Should().Be(told with { Data = found.Data });
        Text(found.Data).Should().Be("""{"rtt":1}""");
    }

    [Fact]
    public async Task A_replay_changes_nothing_and_is_a_duplicate()
    {
        await Dbos.Send(Given.Result());

        Answer<Written> answer = default;
        (await Dbos.EffectOf(async () => answer = await Dbos.Send(Given.Result()))).Should().BeEmpty();
        answer.Value.Should().Be(Duplicate);
    }

    [Fact]
    public async Task A_replay_with_other_data_keeps_the_first_says_so_and_is_told_apart_from_the_history()
    {
        await Dbos.Send(Given.Result());

        Answer<Written> answer = default;
        (await Dbos.EffectOf(async () => answer = await Dbos.Send(Given.Result(data: "other")))).Should().StartWith("+ refusals ")
            .And.Contain("\"replay_differed\"").And.NotContain("\n");
        answer.Value.Should().Be(Different);
        Text((await Dbos.Send(new GetResult("a1", "r1"))).Value.Data).Should().Be("""{"rtt":1}""");
    }

    [Fact]
    public async Task Nothing_but_the_data_is_compared()
    {
        await Dbos.Send(Given.Result());
        var again = Given.Result().Result! with { Timestamp = 5, ModuleName = "ping", ReceivedAt = 7, DbosServerId = "other", AgentRuntimeVersion = "2" };

        (await Dbos.Send(new StoreResult(again))).Value.Should().Be(Duplicate);
    }

    [Fact]
    public async Task A_named_key_is_remembered_for_the_result_that_it_was_named_for()
    {
        (await Dbos.Send(Given.Result(), idempotencyKey: "k1")).Value.Should().Be(New);
        (await Dbos.Send(Given.Result(), idempotencyKey: "k1")).Value.Should().Be(Duplicate);
        (await Dbos.Send(Given.Result(agentId: "a2"), idempotencyKey: "k1")).Value.Should().Be(New);
        (await Dbos.Send(Given.Result(id: "r2"), idempotencyKey: "k1")).Value.Should().Be(New);
        (await Dbos.Send(Given.Result(data: "other"), idempotencyKey: "k2")).Value.Should().Be(Different);
    }

    [Fact]
    public async Task A_key_used_again_for_other_content_is_told_among_the_refusals_and_nothing_else()
    {
        await Dbos.Send(Given.Result(), idempotencyKey: "k1");

        var effect = await Dbos.EffectOf(Given.Result(data: "other"), idempotencyKey: "k1");

        effect.Should().StartWith("+ refusals ").And.Contain("IdempotencyKeyReused").And.NotContain("\n");
    }

    [Fact]
    public async Task The_same_id_from_many_agents_is_a_result_of_each_and_all_are_found_by_it()
    {
        const int Agents = 250;
        await Dbos.SendAll(Enumerable.Range(0, Agents).Select(number => Given.Result(agentId: $"a{number}", data: new string('x', number))));
        await Dbos.Send(Given.Result("r2", "a1"));

        (await Dbos.Send(Given.Result(agentId: "a7", data: "xxxxxxx"))).Value.Should().Be(Duplicate);
        (await Dbos.Send(new GetResult("a7", "r1"))).Value.Data.Length.Should().Be(7);
        (await Dbos.Send(new GetResult("b", "r1"))).Refusal!.Code.Should().Be(RefusalCode.NotFound);
        var found = await Results.FindOfRequest("r1", None);
        found.Select(result => (result.AgentId, result.Bytes)).Should().BeEquivalentTo(
            Enumerable.Range(0, Agents).Select(number => ($"a{number}", (long)number)));
        found.Should().OnlyContain(result => result.ModuleName == "unknown" && result.ReceivedAt > Given.LongAgo);
        (await Results.FindOfRequest("r3", None)).Should().BeEmpty();
    }

    [Fact]
    public async Task Ids_that_would_run_together_are_two_results()
    {
        (string Agent, string Id)[] names = [("a:b", "c"), ("a", "b:c"), ("agents", "others"), ("others:c", "x"), ("a%3Ab", "c"), ("a", "others:a"), ("é", "\U0001F600")];
        await Dbos.SendAll(names.Select(name => Given.Result(name.Id, name.Agent, data: name.ToString())));

        foreach (var name in names)
        {
            var found = (await Dbos.Send(new GetResult(name.Agent, name.Id))).Value;
            (found.AgentId, found.Id, Text(found.Data)).Should().Be((name.Agent, name.Id, name.ToString()));
            (await Results.FindOfRequest(name.Id, None)).Should().Contain(result => result.AgentId == name.Agent);
            (await Results.List(name.Agent, new(0, string.Empty), None)).Items.Should().Contain(result => result.Id == name.Id);
        }
    }

    [Fact]
    public async Task Ids_and_names_as_long_as_they_may_be_are_found_in_every_way()
    {
        var (id, agent, module) = (new string(':', 256), new string('%', 256), new string('語', 256));
        await Dbos.Send(new StoreResult(Given.Result(id, agent).Result! with { ModuleName = module }));

        (await Results.Find(agent, id, None))!.ModuleName.Should().Be(module);
        (await Results.FindOfRequest(id, None)).Should().ContainSingle().Which.ModuleName.Should().Be(module);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    [InlineData(4 * 1024 * 1024)]
    public async Task Data_of_any_bytes_come_back_as_they_were(int length)
    {
        byte[] data = [.. Enumerable.Range(0, length).Select(number => (byte)number)];
        (await Dbos.Send(Given.Result("r1", "a1", data))).Value.Should().Be(New);

        (await Dbos.Send(new GetResult("a1", "r1"))).Value.Data.ToArray().Should().Equal(data);
        (await Dbos.Send(Given.Result("r1", "a1", data))).Value.Should().Be(Duplicate);
        (await Dbos.Send(Given.Result("r1", "a1", [.. data.Take(length - 1), 1]))).Value.Should().Be(Different);
    }

    [Fact]
    public async Task Of_many_who_store_one_result_at_once_one_stores_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => Dbos.Send(Given.Result(data: $"{number}"))));

        answers.Count(answer => answer.Value == New).Should().Be(1);
        answers.Count(answer => answer.Value == Different).Should().Be(49);
        (await Results.List("a1", new(0, string.Empty), None)).Items.Should().ContainSingle();
    }

    [Fact]
    public async Task What_was_moved_to_another_store_is_found_listed_and_recognized_there()
    {
        foreach (var number in Enumerable.Range(0, 130))
        {
            await Dbos.Send(Given.Result($"r{number}", $"a{number % 2}", data: $"{number}"));
        }

        await Dbos.Send(Given.Result("r0", "a2", data: "further"));
        var moved = await ((ISubjectTransfer<TransferredResult>)Results).Export().ToListAsync();
        moved.Should().HaveCount(131);
        var target = await Open(Options);
        var into = (ISubjectTransfer<TransferredResult>)target.Get<IResultRepository>();

        foreach (var some in moved.OrderBy(one => one.Result.Id, StringComparer.Ordinal).Chunk(50))
        {
            await into.Import(some, None);
        }

        await into.EndImport(None);

        (await target.Send(Given.Result("r5", "a1", data: "5"))).Value.Should().Be(Duplicate);
        (await target.Send(Given.Result("r5", "a1", data: "6"))).Value.Should().Be(Different);
        (await target.Send(Given.Result("new", "a1"))).Value.Should().Be(New);
        foreach (var agent in new[] { "a0", "a1", "a2", string.Empty })
        {
            var before = (await Results.List(agent, new(0, string.Empty), None)).Items;
            var after = (await target.Get<IResultRepository>().List(agent, new(0, string.Empty), None)).Items.Where(result => result.Id != "new");
            after.Should().BeEquivalentTo(before, options => options.Excluding(result => result.Data));
        }

        (await target.Get<IResultRepository>().List("a1", new(1, string.Empty), None)).Items.Should().ContainSingle().Which.Id.Should().Be("new");
        (await target.Get<IResultRepository>().FindOfRequest("r0", None)).Select(result => result.AgentId).Should().BeEquivalentTo("a0", "a2");
    }
}

public sealed class ResultRepositoryOnRedis(RedisEngine engine) : ResultRepositoryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ResultRepositoryOnCluster(ClusterEngine engine) : ResultRepositoryTests(engine);

public sealed class ResultRepositoryOnSqlite(SqliteEngine engine) : ResultRepositoryTests(engine), IClassFixture<SqliteEngine>;
