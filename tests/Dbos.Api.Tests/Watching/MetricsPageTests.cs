using System.Text.RegularExpressions;

namespace Dbos.Api.Tests.Watching;

/// <summary>What the Prometheus page says after the calls of <see cref="WatchedServer"/>.</summary>
[Collection(WatchedServer.Name)]
public sealed partial class MetricsPageTests(WatchedServer dbos)
{
    [Fact]
    public async Task Calls_are_counted_by_method_status_and_outcome()
    {
        var page = await dbos.Page();

        Calls("StoreResult", "OK", "done").Should().Be(5);
        Calls("StoreResult", "OK", "duplicate").Should().Be(2);
        Calls("SetModuleState", "OK", "version_conflict").Should().Be(1);
        Calls("ScheduleTask", "OK", "validation").Should().Be(1);
        Calls("AckTasks", "OK", "done").Should().Be(1);
        page.Sum("rpc_server_call_duration_seconds_bucket", ("rpc_method", "dbos.DBOS/StoreResult"), ("le", "10")).Should().Be(7);
        page.Sum("rpc_server_call_duration_seconds_sum", ("rpc_method", "dbos.DBOS/StoreResult")).Should().BeInRange(0.0005, 60);

        double? Calls(string method, string status, string outcome) => page.Sum(
            "rpc_server_call_duration_seconds_count",
            ("rpc_method", $"dbos.DBOS/{method}"),
            ("rpc_response_status_code", status),
            ("dbos_outcome", outcome));
    }

    [Fact]
    public async Task Writes_are_counted_each_of_a_batch_by_itself()
    {
        var page = await dbos.Page();

        Writes("ScheduleTask", "done").Should().Be(6);
        Writes("ScheduleTask", "validation").Should().Be(1);
        Writes("StoreResult", "duplicate").Should().Be(2);
        Writes("SetModuleState", "version_conflict").Should().Be(1);
        Writes("AckTask", "done").Should().Be(2);
        Writes("AckTask", "lease_lost").Should().Be(1);

        double? Writes(string command, string outcome) => page.Sum("dbos_writes_total", ("dbos_command", command), ("dbos_outcome", outcome));
    }

    [Fact]
    public async Task What_the_store_holds_is_told()
    {
        var page = await dbos.Page();

        foreach (var (counted, times) in (ReadOnlySpan<(string, double)>)
            [("scheduled", 6), ("completed", 2), ("nacked", 2), ("lease_expired", 1), ("dead_lettered", 1), ("cancelled", 1)])
        {
            page.Sum("dbos_task_events_total", ("dbos_task_event", counted)).Should().Be(times, counted);
        }

        foreach (var (status, tasks) in (ReadOnlySpan<(string, double)>)
            [("pending", 2), ("inflight", 0), ("completed", 2), ("failed", 1), ("cancelled", 1)])
        {
            page.Sum("dbos_queue_depth", ("dbos_task_status", status)).Should().Be(tasks, status);
        }

        page.Sum("dbos_agents", ("dbos_agent_state", "alive")).Should().Be(1);
        page.Sum("dbos_agents", ("dbos_agent_state", "lost")).Should().Be(1);
        page.Sum("dbos_event_log_length", ("dbos_event_log", "refusals")).Should().Be(3, "a version conflict, a lost lease and a bad request were refused");
        page.Sum("dbos_event_log_length", ("dbos_event_log", "events")).Should().BeGreaterThan(15);
        page.Sum("dbos_store_size_bytes").Should().BeGreaterThan(500_000);
        page.Sum("dbos_store_up").Should().Be(1);
    }

    [Fact]
    public async Task A_due_task_that_nobody_takes_grows_old()
    {
        // The one whose lease expired is due again.
        await Eventually.True(
            async () => (await dbos.Page()).Sum("dbos_queue_oldest_pending_age_seconds") > 0, WatchedServer.Patience, "the oldest due task has an age");
    }

    [Fact]
    public async Task Scripts_and_commands_of_Redis_are_timed()
    {
        var page = await dbos.Page();

        foreach (var (script, times) in (ReadOnlySpan<(string, double)>)[("store_result", 7), ("set_module_state", 3), ("schedule_tasks", 1), ("nack_task", 2)])
        {
            Operations(("db_operation_name", "EVALSHA"), ("db_stored_procedure_name", script)).Should().BeGreaterThanOrEqualTo(times, script);
        }

        Operations(("db_stored_procedure_name", "take_tasks")).Should().BeInRange(4, 200);
        Operations(("db_operation_name", "ZCARD")).Should().BePositive();

        double? Operations(params (string, string)[] labels) =>
            page.Sum("db_client_operation_duration_seconds_count", [("db_system_name", "redis"), .. labels]);
    }

    /// <summary>Every row of docs/metrics.md is exposed as it says, and nothing else of DBOS is.</summary>
    [Fact]
    public async Task The_table_of_metrics_is_what_is_exposed()
    {
        var page = await dbos.Page();
        var table = await File.ReadAllTextAsync(Path.Combine(ProductFiles.Repository, "docs", "metrics.md"));
        var rows = Row().Matches(table).ToDictionary(row => row.Groups["name"].Value, row => row);

        rows.Keys.Should().BeEquivalentTo(page.Types.Keys.Where(IsOfDbos));
        foreach (var (name, row) in rows)
        {
            row.Groups["type"].Value.Should().Be(page.Types[name], name);
            var labels = Code().Matches(row.Groups["attributes"].Value).Select(attribute => attribute.Groups[1].Value.Replace('.', '_'));

            // Of the store nothing fails here.
            labels.Where(label => label != "error_type").Should().BeEquivalentTo(page.LabelsOf(name).Where(label => label != "error_type"), name);
        }
    }

    private static bool IsOfDbos(string metric) =>
        metric.StartsWith("dbos_", StringComparison.Ordinal) || metric.StartsWith("db_", StringComparison.Ordinal) || metric.StartsWith("rpc_", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| `[a-z_.]+`<br>`(?<name>[a-z_]+)` \| (?<type>\w+) \|[^|]*\|(?<attributes>[^|]*)\| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
