using System.Text;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Results;

/// <summary>What store_result.lua does where Redis holds what it does not expect, or its answer is lost.</summary>
[Collection(Undisturbed.Name)]
public sealed class ResultScriptTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly OpenOptions OnePartition = new() { Settings = settings => settings with { Partitions = 1 } };
    private static readonly byte[] Told = Encoding.UTF8.GetBytes("\"type\":\"result_stored\"");

    [Theory]
    [InlineData("result:r1", "list", "a1")]
    [InlineData("result:r1:a2", "list", "a2")]
    [InlineData("results:others:r1", "string", "a2")]
    [InlineData("results", "string", "a1")]
    [InlineData("results:a1", "hash", "a1")]
    [InlineData("mark:StoreResult:named:r1:a1:k1", "list", "a1")]
    public async Task A_key_of_a_wrong_type_is_a_fault_that_changes_nothing(string name, string type, string agentId)
    {
        await using var dbos = await engine.Open(OnePartition);
        if (agentId == "a2")
        {
            await dbos.Send(Given.Result(agentId: "a1"));
        }

        var redis = engine.Operator.GetDatabase();
        var key = KeyOf(dbos, name);
        await (type switch
        {
            "list" => redis.ListRightPushAsync(key, "x"),
            "hash" => (Task)redis.HashSetAsync(key, "x", "x"),
            _ => redis.StringSetAsync(key, "x"),
        });
        var before = await Contents(dbos);

        var store = () => dbos.Send(Given.Result(agentId: agentId), "k1");

        (await store.Should().ThrowAsync<InvalidOperationException>()).WithInnerException<RedisServerException>().WithMessage("*WRONGTYPE*");
        (await Contents(dbos)).Should().Equal(before);
    }

    [Fact]
    public async Task An_event_log_of_a_wrong_type_loses_the_event_and_not_the_result()
    {
        await using var dbos = await engine.Open(OnePartition);
        await engine.Operator.GetDatabase().StringSetAsync(KeyOf(dbos, "events"), "x");

        (await dbos.Send(Given.Result())).Value.Duplicate.Should().BeFalse();
        (await dbos.Send(new GetResult("a1", "r1"))).IsRefused.Should().BeFalse();
    }

    [Theory]
    [InlineData(CutPoint.BeforeRequest, null)]
    [InlineData(CutPoint.WithinRequest, null)]
    [InlineData(CutPoint.BeforeReply, null)]
    [InlineData(CutPoint.BeforeReply, "k1")]
    public async Task A_result_whose_answer_is_lost_is_stored_once_and_answered_as_new(CutPoint point, string? idempotencyKey)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(OnePartition, proxy.Address);
        await dbos.Send(Given.Result(agentId: "first"));
        proxy.CutAt(point, Told);

        var answer = await dbos.Send(Given.Result(), idempotencyKey);

        answer.Value.Should().Be(new Written(1, Duplicate: false));
        (await dbos.Send(Given.Result(), idempotencyKey)).Value.Should().Be(new Written(1, Duplicate: true));
        (await dbos.Send(new ListResults(string.Empty, new(0, string.Empty)))).Value.Items.Should().HaveCount(2);
        (await dbos.Lines()).Count(line => line.StartsWith("events ", StringComparison.Ordinal)).Should().Be(2);
    }

    [Fact]
    public async Task A_result_that_another_stored_before_the_request_came_through_is_a_duplicate()
    {
        await using var beside = await engine.Open(OnePartition);
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(
            new OpenOptions { Settings = _ => beside.Settings with { Address = Patient.To(proxy.Address) } }, proxy.Address);
        proxy.CutAt(CutPoint.BeforeRequest, Told, async () => await beside.Send(Given.Result(data: "other")));

        var answer = await dbos.Send(Given.Result());

        answer.Value.Should().Be(new Written(1, Duplicate: true) { ContentDiffers = true });
        Text(await dbos.Send(new GetResult("a1", "r1"))).Should().Be("other");
    }

    [Fact]
    public async Task A_clock_that_was_set_back_does_not_put_a_later_result_behind_an_earlier_one()
    {
        await using var dbos = await engine.Open(OnePartition);
        var ahead = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeMilliseconds();
        await engine.Operator.GetDatabase().StreamAddAsync(KeyOf(dbos, "results"), "a1", "gone", $"{ahead}-3");
        await engine.Operator.GetDatabase().StreamAddAsync(KeyOf(dbos, "results:a1"), "id", "gone", $"{ahead}-3");

        await dbos.Send(Given.Result("r1"));
        await dbos.Send(Given.Result("r2"));

        (await dbos.Send(new ListResults("a1", new(0, string.Empty)))).Value.Items.Select(result => result.Id).Should().Equal("r2", "r1");
        (await dbos.Send(new ListResults(string.Empty, new(0, string.Empty)))).Value.Items.Select(result => result.Id).Should().Equal("r2", "r1");
    }

    /// <summary>Of a result with 375 bytes of data all that is kept but its event.</summary>
    [Fact]
    public async Task A_result_takes_at_most_850_bytes_of_redis()
    {
        const int Results = 4_000;
        await using var dbos = await engine.Open(OnePartition);
        await dbos.SendAll(Enumerable.Range(0, 100).Select(ResultOf));
        var before = await Bytes(dbos);

        await dbos.SendAll(Enumerable.Range(100, Results).Select(ResultOf));

        ((await Bytes(dbos) - before) / Results).Should().BeInRange(400, 850);

        static StoreResult ResultOf(int number) => Given.Result(Guid.NewGuid().ToString(), $"agent-{number % 20}", new byte[375]);
    }

    private static string Text(Answer<Domain.Results.MeasurementResult> answer) => Encoding.UTF8.GetString(answer.Value.Data.Span);

    private static RedisKey KeyOf(OpenStore dbos, string name) => dbos.Get<RedisPartitions>().Key(0, name);

    private async Task<double> Bytes(OpenStore dbos)
    {
        var info = await engine.Operator.GetServers()[0].InfoRawAsync("memory");
        var used = double.Parse(info!.Split('\n').Single(line => line.StartsWith("used_memory:", StringComparison.Ordinal))["used_memory:".Length..]);
        return used - (double)(await engine.Operator.GetDatabase().ExecuteAsync("MEMORY", "USAGE", KeyOf(dbos, "events"), "SAMPLES", 0));
    }

    /// <summary>Every key of the store with all that it holds.</summary>
    private async Task<List<string>> Contents(OpenStore dbos)
    {
        var redis = engine.Operator.GetDatabase();
        var contents = new List<string>();
        await foreach (var key in engine.Operator.GetServers()[0].KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*"))
        {
            if (!key.ToString().EndsWith(":probe", StringComparison.Ordinal))
            {
                contents.Add($"{key} {Convert.ToBase64String((await redis.KeyDumpAsync(key))!)}");
            }
        }

        contents.Sort(StringComparer.Ordinal);
        return contents;
    }
}
