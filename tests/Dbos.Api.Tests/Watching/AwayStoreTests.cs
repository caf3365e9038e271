using System.Net;
using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Watching;

[Collection(Undisturbed.Name)]
public sealed class AwayStoreTests
{
    private static readonly string[] OfTheStore =
        ["dbos_queue_depth", "dbos_queue_oldest_pending_age_seconds", "dbos_task_events_total", "dbos_agents", "dbos_event_log_length", "dbos_store_size_bytes"];

    [Fact]
    public async Task While_the_store_is_away_DBOS_lives_is_not_ready_and_tells_nothing_old()
    {
        await using var dbos = new WatchedDeployment(FreePort.Find());
        await dbos.InitializeAsync();
        await Eventually.True(async () => IsTold(await dbos.Page()), WatchedDeployment.Patience, "the store's metrics are there");

        await dbos.Redis.Kill();

        await Eventually.True(
            async () => await dbos.StatusOf("/healthz/ready") == HttpStatusCode.ServiceUnavailable, WatchedDeployment.Patience, "DBOS is not ready");
        (await dbos.StatusOf("/healthz/live")).Should().Be(HttpStatusCode.OK);
        var call = () => dbos.Client.StoreResultAsync(Requests.Result("1")).ResponseAsync;
        await call.Should().ThrowAsync<RpcException>();
        var page = await dbos.Page();
        await Eventually.True(
            async () => (page = await dbos.Page())
                .Sum("rpc_server_call_duration_seconds_count", ("rpc_response_status_code", "UNAVAILABLE"), ("error_type", "UNAVAILABLE")) == 1,
            WatchedDeployment.Patience,
            "the call is counted");
        page.Types.Keys.Should().NotIntersectWith(OfTheStore);
        page.Sum("dbos_store_up").Should().Be(0);
        page.Samples.Should().Contain(sample => sample.Name == "db_client_operation_duration_seconds_count" && sample.Labels.ContainsKey("error_type"));

        await dbos.Redis.Start();

        await Eventually.True(async () => IsTold(await dbos.Page()), WatchedDeployment.Patience, "the store's metrics are back");
        (await dbos.StatusOf("/healthz/ready")).Should().Be(HttpStatusCode.OK);
    }

    private static bool IsTold(ExpositionPage page) => OfTheStore.All(page.Types.ContainsKey);
}
