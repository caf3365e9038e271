using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Sqlite.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Tests.Tasks;
using Dbos.Infrastructure.Transfer;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Tests.Sqlite;

/// <summary>What holds of the task queue's tables alone.</summary>
public sealed class SqliteTaskTests(SqliteEngine engine) : TaskTests(engine), IClassFixture<SqliteEngine>
{
    /// <summary>Tables of one row, or read once after a start.</summary>
    private static readonly string[] MayBeScanned = ["SCAN CONSTANT ROW", "SCAN agent_turn", "SCAN module_turn"];

    [Fact]
    public async Task No_statement_scans_or_sorts_what_may_be_many()
    {
        await Dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 20).Select(number => Given.Task($"t{number}", maxRetries: 1, agentId: $"a{number % 3}"))]));
        await Dbos.Send(Given.Task("t0"));
        foreach (var filter in (TaskFilter[])[TaskFilter.Any, new("a1", ""), new("", "ping"), new("a2", "ping")])
        {
            var taken = await Take(filter, limit: 2);
            await Dbos.Send(new AckTask(taken[0].Id, taken[0].LeaseToken));
            await Dbos.Send(Given.Nack(token: taken[1].LeaseToken, id: taken[1].Id));
            foreach (MeasurementTaskStatus? status in (MeasurementTaskStatus?[])[null, .. Enum.GetValues<MeasurementTaskStatus>()])
            {
                await Tasks.List(status, filter, new(3, string.Empty), None);
            }
        }

        await Take(limit: 1, lease: TimeSpan.FromMilliseconds(1));
        await Expire();
        await Dbos.Send(new CancelTask((await Stored("t19")).Id, string.Empty));
        await Dbos.Send(new GetQueueStats());
        await Dbos.Get<SqliteDatabase>().Write(session => session.DeleteIdleTurns(served: 0, most: 10), None);

        var statements = await Dbos.Get<SqliteDatabase>().Write(session => session.Statements.ToArray(), None);
        var reading = await Dbos.Get<SqliteDatabase>().Read(session => session.Statements.ToArray());

        await using var connection = SqliteEngine.Connect(Dbos.Settings);
        var plans = statements.Union(reading)
            .Where(sql => sql.Contains("task", StringComparison.Ordinal) || sql.Contains("turn", StringComparison.Ordinal))
            .ToDictionary(sql => sql, sql => PlanOf(connection, sql));
        plans.Should().HaveCountGreaterThan(25);
        plans.SelectMany(plan => plan.Value.Select(step => (step, plan.Key)))
            .Where(one => one.step.Contains("TEMP B-TREE", StringComparison.Ordinal)
                || (one.step.StartsWith("SCAN", StringComparison.Ordinal) && !(MayBeScanned.Contains(one.step) && !one.Key.Contains("ORDER", StringComparison.Ordinal))))
            .Should().BeEmpty();
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_does_not_keep_other_leases_from_expiring()
    {
        await Dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 130).Select(number => Given.Task($"t{number}", Given.LongAgo + number))]));
        await Take(limit: 130, lease: TimeSpan.FromMilliseconds(1));
        await Task.Delay(20);
        await Dbos.Get<SqliteDatabase>().Write(
            session => session.Run("UPDATE task SET failure_log = 'broken' WHERE id IN (SELECT id FROM task ORDER BY lease_token LIMIT 110)"), None);

        (await Tasks.ExpireLeases(Caller, None)).Should().Be(20);
        (await Tasks.ExpireLeases(Caller, None)).Should().Be(0);
    }

    [Fact]
    public async Task What_is_exported_is_imported_with_its_places_and_no_token_is_given_twice()
    {
        await Dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 130).Select(number => Given.Task($"t{number:000}", Given.LongAgo + number, agentId: $"a{number % 2}"))]));
        var taken = await Take(limit: 4);
        await Dbos.Send(new AckTask(taken[0].Id, taken[0].LeaseToken));
        await Dbos.Send(Given.Nack(token: taken[1].LeaseToken, id: taken[1].Id, delaySeconds: 500));
        await Dbos.Send(new CancelTask(taken[2].Id, "why"));
        var into = await Open(new OpenOptions());

        var exported = await All(Dbos);
        await into.Get<ISubjectTransfer<MeasurementTask>>().Import(exported, None);

        exported.Should().HaveCount(130);
        ShouldEqual(await All(into), exported);
        (await into.Send(new GetQueueStats())).Value.Tasks.Should().BeEquivalentTo((await Dbos.Send(new GetQueueStats())).Value.Tasks);
        var next = await into.Get<ITaskRepository>().Take(new TakeOrder(TaskFilter.Any, null, 10, TimeSpan.FromMinutes(1)), Caller, None);
        next.Select(task => task.Id).Should().BeEquivalentTo((await Take(limit: 10)).Select(task => task.Id));
        next.Should().OnlyContain(task => task.LeaseToken > 4);
    }

    [Fact]
    public async Task A_change_of_a_task_does_not_write_its_payload_again()
    {
        await Dbos.Send(Given.Task(payload: new string('x', 2 << 20)));
        await Dbos.Get<SqliteDatabase>().Write(session => 0, None);
        var log = new FileInfo(Path.Combine(Dbos.Settings.DataDirectory, "dbos.db-wal"));
        var before = log.Length;

        var taken = await TakeOne();
        await Dbos.Send(new AckTask("t1", taken.LeaseToken));

        log.Refresh();
        (log.Length - before).Should().BeLessThan(1 << 20);
    }

    private static async Task<List<MeasurementTask>> All(OpenStore store)
    {
        var all = new List<MeasurementTask>();
        await foreach (var task in store.Get<ISubjectTransfer<MeasurementTask>>().Export())
        {
            all.Add(task);
        }

        return all;
    }

    private static List<string> PlanOf(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"EXPLAIN QUERY PLAN {sql}";
        for (var i = 1; i <= 20; i++)
        {
            if (sql.Contains($"${i}", StringComparison.Ordinal))
            {
                command.Parameters.AddWithValue($"${i}", 1);
            }
        }

        using var row = command.ExecuteReader();
        var plan = new List<string>();
        while (row.Read())
        {
            plan.Add(row.GetString(3));
        }

        return plan;
    }
}
