using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>A store that is broken from outside in every way that the audit knows: found, left alone unless asked, mended, and told.</summary>
public abstract class TaskAuditTests(IEngine engine) : StoreTests(engine)
{
    private const string Unheld = "unheld";
    private static readonly Origin Operator = new("operator", "trace-9");

    private int Partition => Port.PartitionOf("t1");

    public static TheoryData<string, string, bool> Breaks => new()
    {
        { "it is pending, but not in tasks:pending", "out tasks:pending t1", false },
        { "it is pending, but not in tasks:pending:agent:a1", "out tasks:pending:agent:a1 t1", false },
        { "it is pending, but not in tasks:pending:both:a1:ping", "out tasks:pending:both:a1:ping t1", false },
        { "it is in tasks:pending at 7", "7 tasks:pending t1", false },
        { "tasks:failed has it at 7, where it does not belong", "7 tasks:failed t1", false },
        { "lane a1:ping waits without its turn in turns", "out turns 9a1:ping", false },
        { "lane a1:ping waits without its turn in turns:module:ping", "out turns:module:ping 9a1:ping", false },
        { "turns has a turn of lane ghost:ping, in which nothing waits", "7 turns 0ghost:ping", false },
        { "tasks:failed has it, but there is no such task", "7 tasks:failed ghost", false },
        { "tasks:pending:both:a1:ping has it, but there is no such task", "7 tasks:pending:both:a1:ping ghost", false },
        { "lane a1:ping waits without its turn in turns", "7 turns 9a1:ping", false },
        { "lane a1:ping waits without its turn in turns:agent:a1", "7 turns:agent:a1 9a1:ping", false },
        { "it is inflight, but not in tasks:inflight", "out tasks:inflight t1", true },
        { "it is inflight, but nobody holds it", Unheld, true },
    };

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task What_is_broken_is_found_mended_when_asked_and_told(string sentence, string change, bool isInflight)
    {
        await Dbos.Send(Given.Task());
        if (isInflight)
        {
            var task = (await Dbos.Send(Given.Due())).Value.Tasks.Should().ContainSingle().Subject;
            (await Dbos.Send(new ExtendTaskLease(task.Id, task.LeaseToken, Seconds: 3_600))).IsRefused.Should().BeFalse();
        }

        (await Audit(repair: false)).Should().BeEmpty();
        await Break(change);
        var broken = await Dbos.Lines();

        var found = await Audit(repair: false);
        (await Dbos.Lines()).Should().Equal(broken);
        var repaired = await Audit(repair: true);

        found.Should().Contain(one => one.Description.Contains(sentence) && !one.Repaired);
        repaired.Should().NotBeEmpty().And.OnlyContain(one => one.Repaired);
        (await Audit(repair: false)).Should().BeEmpty();
        (await Dbos.Send(new GetQueueStats())).Value.Totals["repaired"].Should().Be(repaired.Count);
        (await Dbos.History(Partition, repaired.Count))
            .Should().OnlyContain(told => told.Contains("task_repaired") && told.Contains("operator"));
    }

    [Fact]
    public async Task A_task_that_was_lost_to_takers_is_taken_after_the_repair()
    {
        await Dbos.Send(Given.Task());
        await Break("out turns 9a1:ping");
        (await Dbos.Send(Given.Due())).Value.Tasks.Should().BeEmpty();

        await Audit(repair: true);

        (await Dbos.Send(Given.Due())).Value.Tasks.Should().ContainSingle();
    }

    private async Task<IReadOnlyList<Inconsistency>> Audit(bool repair)
    {
        var found = new List<Inconsistency>();
        await foreach (var slice in Dbos.Get<ITaskAudit>().Run(repair, Operator))
        {
            found.AddRange(slice.Inconsistencies);
        }

        return found;
    }

    /// <param name="change">A score, or "out"; an index; a member. Or that the record's lease is gone, and nothing else.</param>
    private async Task Break(string change)
    {
        if (change == Unheld)
        {
            var record = new StoreKey(Partition, Names.Task("t1"));
            var stored = (await Port.Find(record, None))!;
            await Commit(new Commit(Partition, record.Name, stored.Version, stored.Document) { Lease = LeaseChange.Ends });
            return;
        }

        var parts = change.Split(' ');
        long? score = parts[0] == "out" ? null : long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
        await Commit(new Commit(Partition, "nothing", ExpectedVersion: 0, default)
        {
            Deletes = true,
            Indexes = [new(parts[1], parts[2], score)],
        });
    }

    private async Task Commit(Commit commit) =>
        (await Port.Commit([commit], None)).Should().ContainSingle().Which.Should().BeOfType<CommitOutcome.Done>();
}

public sealed class TaskAuditOnRedis(RedisEngine engine) : TaskAuditTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskAuditOnCluster(ClusterEngine engine) : TaskAuditTests(engine);

public sealed class TaskAuditOnSqlite(SqliteEngine engine) : TaskAuditTests(engine), IClassFixture<SqliteEngine>;
