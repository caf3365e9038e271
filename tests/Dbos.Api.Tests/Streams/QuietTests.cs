using System.Globalization;
using Dbos.Api.Tests.Support;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Streams;

/// <summary>Waiting takers cost Redis nothing, and one task does not wake all of them.</summary>
[Collection(Undisturbed.Name)]
public sealed class QuietTests(TwoOnRedis dbos, ITestOutputHelper output) : IClassFixture<TwoOnRedis>
{
    private const int Takers = 100;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    /// <summary>For all takers to have looked again.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(500);

    /// <summary>Of each DBOS: its client library looks each three seconds whether it still asks the primary.</summary>
    private const int Looks = 2;

    /// <summary>Each replica looks into every partition, once for the taker that gets the task and once for the next in line, if that.</summary>
    private const int MostCallsForOneTask = 150;

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task An_idle_DBOS_asks_Redis_one_thing_a_second_however_many_takers_wait()
    {
        var takers = await StartTakers();
        await using var monitor = await RedisMonitor.Start(dbos.Redis);
        var before = monitor.Calls.Count;

        await Task.Delay(Idle);

        var calls = monitor.Calls.Skip(before).ToArray();
        calls.Length.Should().BeInRange(
            (int)Idle.TotalSeconds, dbos.Servers.Count * ((int)Idle.TotalSeconds + 1 + Looks), string.Join('\n', calls));
        await End(takers);
    }

    [Fact]
    public async Task One_task_is_delivered_to_one_of_a_hundred_and_few_look_for_it()
    {
        var takers = await StartTakers();
        await using var monitor = await RedisMonitor.Start(dbos.Redis);

        var task = (await dbos.Client.ScheduleSome(agent)).Single();
        await Eventually.True(async () => (await dbos.Client.FindTask(task.Id)).Status == "inflight", Idle, "it is delivered");
        await Task.Delay(Settled);

        takers.SelectMany(taker => taker.Rest()).Should().ContainSingle().Which.Id.Should().Be(task.Id);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{monitor.Calls.Count} calls to Redis"));
        monitor.Calls.Count.Should().BeLessThan(MostCallsForOneTask);
        await End(takers);
    }

    /// <summary>All have waited by the time that a hundred tasks have reached a hundred takers, and wait again when those are done.</summary>
    private async Task<Taker[]> StartTakers()
    {
        var takers = dbos.Connect(Takers).Select(client => Taker.Start(client, agent)).ToArray();
        await dbos.Client.ScheduleSome(agent, Takers);
        var deliveries = await Task.WhenAll(takers.Select(taker => taker.Next()));
        await dbos.Client.AckTasksAsync(new AckTasksRequest
        {
            Acks = { deliveries.Select(delivery => new AckTaskRequest { TaskId = delivery.Task.Id, LeaseToken = delivery.Task.LeaseToken }) },
        });
        await Task.Delay(Settled);
        return takers;
    }

    private static Task End(Taker[] takers) => Task.WhenAll(takers.Select(taker => taker.DisposeAsync().AsTask()));
}
