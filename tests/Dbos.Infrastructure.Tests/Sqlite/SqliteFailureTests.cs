using System.Diagnostics;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Sqlite;

/// <summary>A transaction fails at each point of a command.</summary>
public sealed class SqliteFailureTests(SqliteEngine engine) : IClassFixture<SqliteEngine>, IAsyncLifetime
{
    private OpenStore dbos = null!;

    public async Task InitializeAsync() => dbos = await engine.Open(new OpenOptions());

    public Task DisposeAsync() => dbos.DisposeAsync().AsTask();

    /// <summary>What SQLite does of itself when a statement fails: undo that statement, stop in it, or undo the transaction.</summary>
    public static IEnumerable<object[]> Failures() =>
        from table in new[] { "task", "task_payload", "event", "agent_turn", "module_turn", "count" }
        from undo in new[] { "ABORT", "FAIL", "ROLLBACK" }
        select new object[] { table, undo };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failure_leaves_nothing_and_the_write_sent_again_is_stored_once(string table, string undo)
    {
        var write = () => dbos.Send(Given.Task());
        Execute($"CREATE TRIGGER failure BEFORE INSERT ON {table} BEGIN SELECT RAISE({undo}, 'no space'); END");
        var failed = await dbos.EffectOf(() => write.Should().ThrowAsync<StoreUnavailableException>());
        Execute("DROP TRIGGER failure");

        var again = await dbos.EffectOf(write);

        failed.Should().BeEmpty();
        again.Should().Be(await EffectElsewhere(Given.Task()));
    }

    [Theory]
    [InlineData("UPDATE", "task")]
    [InlineData("UPDATE", "lease_token")]
    [InlineData("UPDATE", "agent_turn")]
    [InlineData("UPDATE", "module_turn")]
    [InlineData("INSERT", "event")]
    [InlineData("INSERT", "count")]
    public async Task A_failure_leaves_tasks_waiting(string change, string table)
    {
        await dbos.Send(Given.Task());
        var take = () => dbos.Send(Given.Due());
        Execute($"CREATE TRIGGER failure BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'no space'); END");
        var failed = await dbos.EffectOf(() => take.Should().ThrowAsync<StoreUnavailableException>());
        Execute("DROP TRIGGER failure");

        failed.Should().BeEmpty();
        (await take()).Value.Should().ContainSingle().Which.LeaseToken.Should().Be(1);
    }

    [Fact]
    public async Task A_failure_within_a_batch_leaves_nothing_of_it()
    {
        var batch = new ScheduleTasks([.. Enumerable.Range(0, 50).Select(number => Given.Task($"t{number}"))]);
        var schedule = () => dbos.Send(batch);
        Execute("CREATE TRIGGER failure BEFORE INSERT ON task WHEN NEW.id = 't40' BEGIN SELECT RAISE(ABORT, 'no space'); END");
        var failed = await dbos.EffectOf(() => schedule.Should().ThrowAsync<StoreUnavailableException>());
        Execute("DROP TRIGGER failure");

        failed.Should().BeEmpty();
        (await schedule()).Value.Should().HaveCount(50).And.OnlyContain(answer => !answer.Value.Duplicate);
    }

    [Theory]
    [InlineData("DELETE", "task")]
    [InlineData("DELETE", "task_payload")]
    [InlineData("INSERT", "event")]
    public async Task A_failure_leaves_a_dead_letter_where_it_is(string change, string table)
    {
        await dbos.Send(Given.Task(maxRetries: 1));
        foreach (var token in new[] { 1, 2 })
        {
            await dbos.Send(Given.Due());
            await dbos.Send(Given.Nack(token: token));
        }

        var delete = () => dbos.Send(new DeleteDeadLetterTask("t1"));
        Execute($"CREATE TRIGGER failure BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'no space'); END");
        var failed = await dbos.EffectOf(() => delete.Should().ThrowAsync<StoreUnavailableException>());
        Execute("DROP TRIGGER failure");

        failed.Should().BeEmpty();
        (await delete()).IsRefused.Should().BeFalse();
        (await dbos.Send(new GetTask("t1"))).IsRefused.Should().BeTrue();
    }

    [Fact]
    public async Task A_fault_in_one_change_is_not_its_group_s()
    {
        var faulty = () => dbos.Get<SqliteDatabase>().Write<bool>(_ => throw new NotSupportedException(), default);
        var writes = Enumerable.Range(0, 200).Select(i => dbos.Send(Given.Result($"r{i}"))).ToArray();
        var fault = faulty.Should().ThrowAsync<NotSupportedException>();

        var answers = await Task.WhenAll(writes);

        await fault;
        answers.Should().OnlyContain(answer => !answer.Value.Duplicate);
    }

    [Theory]
    [InlineData("ABORT")]
    [InlineData("ROLLBACK")]
    public async Task A_command_that_fails_does_not_fail_its_group(string undo)
    {
        Execute($"CREATE TRIGGER failure BEFORE INSERT ON task WHEN NEW.id LIKE 'bad%' BEGIN SELECT RAISE({undo}, 'no space'); END");
        await using var other = SqliteEngine.Connect(dbos.Settings);
        Task<(bool IsBad, bool IsStored)>[] writes;
        await using (other.BeginTransaction(deferred: false))
        {
            // The first waits for the lock; those behind it are one group.
            writes = [.. Enumerable.Range(0, 60).Select(number => Write(number))];
            await Task.Delay(100);
        }

        (await Task.WhenAll(writes)).Should().OnlyContain(write => write.IsStored != write.IsBad);
        (await dbos.Send(new GetQueueStats())).Value.Tasks[Domain.Tasks.MeasurementTaskStatus.Pending].Should().Be(50);
        (await dbos.Send(new GetQueueStats())).Value.Totals["scheduled"].Should().Be(50);

        async Task<(bool IsBad, bool IsStored)> Write(int number)
        {
            var isBad = number % 6 == 5;
            try
            {
                var answer = await dbos.Send(Given.Task($"{(isBad ? "bad" : "good")} {number}"));
                return (isBad, answer is { IsRefused: false, Value.Duplicate: false });
            }
            catch (StoreUnavailableException)
            {
                return (isBad, false);
            }
        }
    }

    [Fact]
    public async Task A_file_that_is_full_keeps_what_was_answered_and_takes_writes_again_when_there_is_space()
    {
        var database = dbos.Get<SqliteDatabase>();
        await database.Write(
            session =>
            {
                session.Execute($"PRAGMA max_page_count = {(long)session.Scalar("PRAGMA page_count")! + 60}");
                return 0;
            },
            default);
        var stored = await Task.WhenAll(Enumerable.Range(0, 60).Select(async number =>
        {
            try
            {
                return (await dbos.Send(Given.Task($"t{number}", payload: new string('x', number % 2 == 0 ? 100 : 20_000)))).IsRefused ? -1 : number;
            }
            catch (StoreUnavailableException)
            {
                return -1;
            }
        }));
        stored.Should().Contain(-1).And.Contain(number => number >= 0);

        await database.Write(
            session =>
            {
                session.Execute("PRAGMA max_page_count = 1000000");
                return 0;
            },
            default);

        (await dbos.Send(Given.Task("after"))).IsRefused.Should().BeFalse();
        foreach (var number in Enumerable.Range(0, 60))
        {
            (await dbos.Send(new GetTask($"t{number}"))).IsRefused.Should().Be(stored[number] < 0);
        }
    }

    [Fact]
    public async Task A_file_that_another_program_has_locked_is_an_outage_to_callers_in_time()
    {
        await using var other = SqliteEngine.Connect(dbos.Settings);
        await using var locking = other.BeginTransaction(deferred: false);
        var since = Stopwatch.StartNew();
        var write = () => dbos.Send(Given.Result());

        await write.Should().ThrowAsync<StoreUnavailableException>();
        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task A_write_into_a_locked_file_leaves_nothing_and_the_writer_is_free_for_the_next()
    {
        var write = () => dbos.Send(Given.Result());
        await using var other = SqliteEngine.Connect(dbos.Settings);
        var since = Stopwatch.StartNew();

        string failed;
        await using (other.BeginTransaction(deferred: false))
        {
            failed = await dbos.EffectOf(() => write.Should().ThrowAsync<StoreUnavailableException>());
        }

        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(6));
        failed.Should().BeEmpty();
        (await write()).Value.Duplicate.Should().BeFalse();
    }

    private void Execute(string sql)
    {
        using var connection = SqliteEngine.Connect(dbos.Settings);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private async Task<string> EffectElsewhere(IWrite write)
    {
        await using var elsewhere = await engine.Open(new OpenOptions());
        return await elsewhere.EffectOf(write);
    }
}
