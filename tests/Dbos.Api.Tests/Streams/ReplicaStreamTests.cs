using System.Diagnostics;
using System.Globalization;
using Dbos.Api.Tests.Support;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Streams;

/// <summary>A worker whose stream and whose acknowledgements go to different replicas, as a balancer sends them.</summary>
[Collection(Undisturbed.Name)]
public sealed class ReplicaStreamTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task One_slot_with_acks_through_another_replica_does_a_hundred_tasks_a_second()
    {
        const int Rounds = 8, InARound = 200, AtLeast = 100;
        await using var dbos = await Deployment.Start(StoreKind.Redis, servers: 2);
        var other = dbos.Servers[0].Client;
        await other.ScheduleSome(agent, Rounds * InARound / 2);
        await other.ScheduleSome(agent, Rounds * InARound / 2);
        await using var taker = Taker.Start(dbos.Servers[1].Client, agent);
        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var since = Stopwatch.StartNew();
            await TakeAndAck(taker, other, InARound);
            rates.Add(InARound / since.Elapsed.TotalSeconds);
        }

        // The first rounds warm up, and others use the machine too: the best round says what it can do.
        output.WriteLine(string.Join(", ", rates.Select(rate => string.Create(CultureInfo.InvariantCulture, $"{rate:F0}"))));
        rates.Max().Should().BeGreaterThanOrEqualTo(AtLeast);
    }

    [Fact]
    public async Task An_end_whose_publication_was_lost_makes_room_within_two_seconds()
    {
        const int Times = 5;
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        var redis = dbos.Redis;
        var holder = (await Channels(redis, count: 1)).Single();
        (await redis.Ask("acl", "setuser", "acker", "on", ">secret", "~*", "&*", "+@all")).Should().Be("OK");
        await using var acker = await DbosServer.Start(new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = $"{redis.Address},user=acker,password=secret",
        });
        var own = (await Channels(redis, count: 2)).Single(channel => channel != holder);

        // What the acknowledging replica publishes to the one that holds the delivery is lost, and neither can see that.
        (await redis.Ask("acl", "setuser", "acker", "resetchannels", "&dbos:due", $"&{own}")).Should().Be("OK");
        await dbos.Client.ScheduleSome(agent, Times + 1);
        await using var taker = Taker.Start(dbos.Client, agent);
        var delays = new List<TimeSpan>();
        var held = (await taker.Next()).Task;
        for (var i = 0; i < Times; i++)
        {
            (await acker.Client.Ack(held)).Success.Should().BeTrue();
            var since = Stopwatch.StartNew();
            held = (await taker.Next()).Task;
            delays.Add(since.Elapsed);
        }

        output.WriteLine(string.Join(", ", delays));
        acker.Process.Output.Should().Contain("was not written", "it was not allowed to publish");
        delays.Order().ElementAt(Times / 2).Should().BeLessThan(TimeSpan.FromSeconds(2));
        delays.Max().Should().BeLessThan(TimeSpan.FromSeconds(4));
    }

    private static async Task TakeAndAck(Taker taker, DBOS.DBOSClient other, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await other.Ack((await taker.Next()).Task)).Success.Should().BeTrue();
        }
    }

    /// <summary>Those on which replicas receive ends.</summary>
    private static async Task<string[]> Channels(RedisServer redis, int count)
    {
        string[] channels = [];
        await Eventually.True(
            async () => (channels = (await redis.Ask("pubsub", "channels", "dbos:ends:*")).Split('\n', StringSplitOptions.RemoveEmptyEntries)).Length == count,
            Patience,
            $"{count} replicas have subscribed");
        return channels;
    }
}
