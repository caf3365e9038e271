using System.Diagnostics;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Failovers;

/// <summary>What a replica has of what was acknowledged.</summary>
[Collection(Undisturbed.Name)]
public sealed class DurabilityTests(ITestOutputHelper output)
{
    private const int Writes = 300;
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Replicated_is_what_a_replica_has_by_the_time_of_the_answer_and_nothing_is_acknowledged_while_it_is_away()
    {
        await using var redis = await RedisReplicas.Start(1);
        await using var dbos = await Start(redis.Primary, "replicated");
        var replica = redis.Replicas[0];
        for (var i = 0; i < 20; i++)
        {
            var stored = Requests.NewId("result");
            await dbos.Client.StoreResultAsync(Requests.Result(stored));
            (await replica.Ask("keys", $"*{stored}*")).Should().NotBeEmpty("it is there when it is acknowledged");
        }

        var id = Requests.NewId("result");
        replica.Pause();
        for (var i = 0; i < 3; i++)
        {
            var since = Stopwatch.StartNew();
            (await StatusOfStoring(dbos, id)).Should().Be(StatusCode.Unavailable, "neither the write nor its replay is with a replica");
            since.Elapsed.Should().BeLessThan(LongestCall);
        }

        replica.Resume();
        await Eventually.True(async () => await StatusOfStoring(dbos, id) == StatusCode.OK, Patience, "the write is acknowledged");
        (await replica.Ask("keys", $"*{id}*")).Should().NotBeEmpty();
        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Should().ContainSingle("it is one write");
    }

    [Fact]
    public async Task What_was_acknowledged_as_replicated_survives_its_primary()
    {
        await using var loss = await Loss.Of("replicated", output);

        loss.Acknowledged.Should().BeGreaterThan(Writes);
        loss.CutOff.Should().NotBeEmpty("nothing is acknowledged without the replica");
        loss.Lost.Should().BeEmpty();
        await loss.Successor.Client.ShouldHoldWhatItAcknowledged(loss.Writes);
        await loss.Successor.Client.SendAgain(loss.CutOff);
        await loss.Successor.Client.ShouldHoldWhatItAcknowledged([.. loss.Writes.Select(write => write with { Failure = null })]);
    }

    /// <summary>So that it is known that the test above would find it.</summary>
    [Fact]
    public async Task What_was_acknowledged_without_a_replica_dies_with_its_primary()
    {
        await using var loss = await Loss.Of("local", output);

        loss.Lost.Should().HaveCountGreaterThanOrEqualTo(Writes, "so many were acknowledged behind the cut");
    }

    private static Task<Deployment> Start(RedisServer redis, string durability) =>
        Deployment.Start(StoreKind.Cluster, servers: 1, ("REDIS_ADDR", redis.Address), ("DURABILITY", durability));

    private static async Task<StatusCode> StatusOfStoring(Deployment dbos, string id)
    {
        try
        {
            (await dbos.Client.StoreResultAsync(Requests.Result(id))).Success.Should().BeTrue();
            return StatusCode.OK;
        }
        catch (RpcException outage)
        {
            return outage.StatusCode;
        }
    }

    /// <summary>A load whose primary loses its replica, writes on, and is killed; the replica is its successor.</summary>
    private sealed class Loss : IAsyncDisposable
    {
        private readonly Stack<IAsyncDisposable> started = [];

        public Deployment Successor { get; private set; } = null!;

        public Write[] Writes { get; private set; } = [];

        public Write[] CutOff => [.. Writes.Where(write => !write.Acknowledged)];

        public int Acknowledged => Writes.Length - CutOff.Length;

        public Write[] Lost { get; private set; } = [];

        public static async Task<Loss> Of(string durability, ITestOutputHelper output)
        {
            var loss = new Loss();
            try
            {
                await loss.Run(durability);
            }
            catch
            {
                await loss.DisposeAsync();
                throw;
            }

            output.WriteLine($"{durability}: {loss.Acknowledged} writes acknowledged, {loss.Lost.Length} of them lost, {loss.CutOff.Length} cut off");
            return loss;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var one in started)
            {
                await one.DisposeAsync();
            }
        }

        private async Task Run(string durability)
        {
            var primary = Keep(await RedisServer.Start());
            var replica = Keep(await RedisServer.Start());
            var link = Keep(new TcpProxy(primary.Port));
            await replica.Follow(link.Port);
            await primary.WaitUntilFollowed();
            var dbos = Keep(await Start(primary, durability));

            var load = WriteLoad.Start(dbos, Kind.All);
            await load.WaitUntilAcknowledged(DurabilityTests.Writes);
            await link.DisposeAsync();
            if (durability == "local")
            {
                await load.WaitUntilAcknowledged(load.Acknowledged + DurabilityTests.Writes);
            }
            else
            {
                // Every writer is told that its write may not survive, and a replay of it is not acknowledged either.
                Writes = await load.Outcome();
                await Task.WhenAll(CutOff.Select(write => ShouldBeUnavailable(() => write.Kind.Send(dbos.Client, write.Id))));
            }

            await primary.Kill();
            Writes = await load.Outcome();
            await replica.Promote();
            Successor = Keep(await Start(replica, "local"));
            var stored = await Successor.Client.StoredOf(Writes);
            Lost = [.. Writes.Where(write => write.Acknowledged).Except(stored)];
        }

        private T Keep<T>(T one)
            where T : IAsyncDisposable
        {
            started.Push(one);
            return one;
        }

        private static async Task ShouldBeUnavailable(Func<Task> call) =>
            (await call.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Unavailable);
    }
}
