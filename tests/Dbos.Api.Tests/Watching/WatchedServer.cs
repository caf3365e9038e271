using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Watching;

/// <summary>One DBOS of which much was asked by the time that it is looked at. All tests that only look share it.</summary>
[CollectionDefinition(Name)]
public sealed class WatchedServer() : WatchedDeployment(FreePort.Find()), ICollectionFixture<WatchedServer>, IAsyncLifetime
{
    public const string Name = "Watched server";

    public new async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Write(Client);
        await Deliver(Client);
        await Eventually.True(
            async () => (await Page()).Sum("dbos_task_events_total", ("dbos_task_event", "lease_expired")) == 1,
            Patience,
            "the metrics tell of the expired lease");
    }

    /// <summary>Five results, two of them twice; a state that moves on and one with a wrong version; an agent alive, first reported by eight callers at once, and one lost; a task without an id.</summary>
    private static async Task Write(DBOS.DBOSClient client)
    {
        foreach (var id in (string[])["1", "2", "3", "4", "5", "1", "2"])
        {
            (await client.StoreResultAsync(Requests.Result(id))).Success.Should().BeTrue();
        }

        await client.SetModuleStateAsync(Requests.State("request-2", "created"));
        (await client.SetModuleStateAsync(Requests.State("request-2", "started"))).Success.Should().BeTrue();
        var stale = Requests.State("request-1");
        stale.ExpectedVersion = 5;
        (await client.SetModuleStateAsync(stale)).Code.Should().Be(ErrorCode.VersionConflict);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.RegisterAgentAsync(Requests.Heartbeat("alive")).ResponseAsync));
        var lost = Requests.Heartbeat("lost");
        lost.Agent.Alive = false;
        await client.RegisterAgentAsync(lost);
        (await client.ScheduleTaskAsync(Requests.Schedule(string.Empty))).Code.Should().Be(ErrorCode.Validation);
    }

    /// <summary>Of six tasks two are acknowledged in one batch, one is dead, one's lease expires, one is cancelled, one is for later.</summary>
    private static async Task Deliver(DBOS.DBOSClient client)
    {
        var doomed = Requests.Task("doomed", "agent-dead");
        doomed.MaxRetries = 1;
        await client.Schedule(
            Requests.Task("done-1", "agent-done"),
            Requests.Task("done-2", "agent-done"),
            doomed,
            Requests.Task("expires", "agent-expires"),
            Requests.Task("cancelled", "agent-cancelled"),
            Requests.Task("later", scheduledAt: DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds()));
        await client.Take("agent-expires", leaseSeconds: 1);
        await client.CancelTaskAsync(new CancelTaskRequest { TaskId = "cancelled" });
        var taken = await client.Take("agent-done");
        (await client.AckTaskAsync(new AckTaskRequest { TaskId = taken[0].Id, LeaseToken = 99 })).Code.Should().Be(ErrorCode.LeaseLost);
        await client.AckTasksAsync(new AckTasksRequest
        {
            Acks = { taken.Select(task => new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }) },
        });
        for (var i = 0; i < 2; i++)
        {
            var delivery = (await client.Take("agent-dead")).Single();
            await client.NackTaskAsync(new NackTaskRequest { TaskId = delivery.Id, LeaseToken = delivery.LeaseToken, RetryAtOnce = true });
        }
    }
}
