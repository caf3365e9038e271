using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>Where a task is found after its lease was extended, it was cancelled, or it came back from the dead or went for good.</summary>
public abstract class TaskChangeTests(IEngine engine) : StoreTests(engine)
{
    private static readonly string[] IndexesOfOne = ["", ":agent:a1", ":both:a1:ping", ":module:ping"];

    [Fact]
    public async Task An_extended_lease_is_later_everywhere()
    {
        await Deliver();

        var effect = await IndexEffectOf(() => Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 600)));

        effect.Should().BeEquivalentTo([.. Entries("-", "inflight", "<now+300>"), .. Entries("+", "inflight", "<now+600>")]);
        (await Dbos.Send(new GetTask("t1"))).Value.VisibleAt.Should().BeCloseTo(
            Dbos.Get<TimeProvider>().GetUtcNow().AddSeconds(600), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_pending_task_that_is_cancelled_is_not_waiting_any_more()
    {
        await Dbos.Send(Given.Task(priority: 4));

        var effect = await IndexEffectOf(() => Dbos.Send(new CancelTask("t1", "no longer wanted")));

        effect.Should().BeEquivalentTo([
            .. Entries("+", "cancelled", "<now>"),
            .. Entries("-", "pending", "5 at 1500000000000"),
            .. Turns("-", "5a1:ping = 5 at 1500000000000"),
        ]);
        (await Dbos.Send(Given.Due())).Value.Should().BeEmpty();
    }

    [Fact]
    public async Task An_inflight_task_that_is_cancelled_is_held_by_nobody()
    {
        await Deliver();

        var effect = await IndexEffectOf(() => Dbos.Send(new CancelTask("t1", "no longer wanted")));

        effect.Should().BeEquivalentTo([.. Entries("+", "cancelled", "<now>"), .. Entries("-", "inflight", "<now+300>")]);
        (await Dbos.Send(new GetTask("t1"))).Value.Status.Should().Be(MeasurementTaskStatus.Cancelled);
    }

    [Fact]
    public async Task A_dead_letter_that_is_requeued_waits_again_and_keeps_its_history()
    {
        await Die();

        var effect = await IndexEffectOf(() => Dbos.Send(new RequeueDeadLetterTasks(["t1"], TaskFilter.Any, All: false)));

        effect.Should().BeEquivalentTo([
            .. Entries("-", "failed", "<now>"),
            .. Entries("+", "pending", "9 at <now>"),
            .. Turns("+", "9a1:ping = 9 at <now>"),
        ]);
        var task = (await Dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;
        (task.LeaseToken, task.RetryCount, task.DeadLetterReason).Should().Be((3, 0, string.Empty));
        task.History.Select(failure => (failure.LeaseToken, failure.Error)).Should().Equal((1, "first"), (2, "second"));
    }

    [Fact]
    public async Task A_dead_letter_that_is_deleted_is_found_nowhere()
    {
        await Die();

        await Dbos.Send(new DeleteDeadLetterTask("t1"));

        (await Dbos.Lines()).Should().NotContain(line => line.StartsWith("record", StringComparison.Ordinal) || line.StartsWith("index", StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_dead_letters_that_match_are_requeued_and_no_others()
    {
        await Dbos.SendAll(
            from agent in new[] { "a1", "a2" }
            from number in Enumerable.Range(0, 30)
            select Given.Task($"{agent} {number}", agentId: agent, maxRetries: 1));
        foreach (var token in new[] { 1, 2 })
        {
            var taken = (await Dbos.Send(Given.Due())).Value;
            await Dbos.SendAll(taken.Select(task => Given.Nack(id: task.Id, token: token)));
        }

        var requeued = (await Dbos.Send(new RequeueDeadLetterTasks([], new TaskFilter("a2", string.Empty), All: false))).Value;

        requeued.Count.Should().Be(30);
        var left = (await Dbos.Send(new ListDeadLetterTasks(TaskFilter.Any, new PageRequest(0, string.Empty)))).Value.Items;
        left.Select(task => task.AgentId).Should().HaveCount(30).And.OnlyContain(agent => agent == "a1");
        (await Dbos.Send(Given.Due(agentId: "a2"))).Value.Should().HaveCount(30);
    }

    [Fact]
    public async Task The_statistics_tell_of_every_status_and_of_the_last_minute()
    {
        await Die();
        await Dbos.SendAll(Enumerable.Range(0, 6).Select(number => Given.Task($"done {number}")));
        await Dbos.Send(Given.Due());
        await Dbos.SendAll(Enumerable.Range(0, 4).Select(number => new AckTask($"done {number}", LeaseToken: 1)));
        await Dbos.Send(new CancelTask("done 4", string.Empty));
        var now = Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeSeconds();
        await Dbos.SendAll([Given.Task("oldest", now - 100), Given.Task("urgent", now - 50, priority: 9), Given.Task("not due", now + 1_000)]);

        var stats = (await Dbos.Send(new GetQueueStats())).Value;

        stats.Tasks.Should().BeEquivalentTo(new Dictionary<MeasurementTaskStatus, long>
        {
            [MeasurementTaskStatus.Pending] = 3,
            [MeasurementTaskStatus.Inflight] = 1,
            [MeasurementTaskStatus.Completed] = 4,
            [MeasurementTaskStatus.Failed] = 1,
            [MeasurementTaskStatus.Cancelled] = 1,
        });
        stats.OldestPendingAge.Should().BeCloseTo(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(20));
        stats.Totals.Should().Contain(
            new Dictionary<string, long> { ["scheduled"] = 10, ["delivered"] = 8, ["completed"] = 4, ["nacked"] = 2, ["dead_lettered"] = 1, ["cancelled"] = 1 });
        stats.ScheduledPerSecond.Should().BeInRange(10 / 70.0, 10 / 60.0);
        stats.CompletedPerSecond.Should().BeInRange(4 / 70.0, 4 / 60.0);
        stats.FailedPerSecond.Should().BeInRange(2 / 70.0, 2 / 60.0);
    }

    private static IEnumerable<string> Entries(string sign, string status, string at) =>
        IndexesOfOne.Select(of => $"{sign} index tasks:{status}{of} t1 = {at}");

    private static IEnumerable<string> Turns(string sign, string turn) =>
        new[] { "turns", "turns:agent:a1", "turns:module:ping" }.Select(turns => $"{sign} index {turns} {turn}");

    private async Task<IEnumerable<string>> IndexEffectOf(Func<Task> act) =>
        (await Dbos.EffectOf(act)).Split('\n').Where(line => line[2..].StartsWith("index", StringComparison.Ordinal));

    private async Task Deliver()
    {
        await Dbos.Send(Given.Task());
        (await Dbos.Send(Given.Due())).Value.Should().ContainSingle();
    }

    private async Task Die()
    {
        await Dbos.Send(Given.Task(maxRetries: 1));
        await Dbos.Send(Given.Due());
        await Dbos.Send(Given.Nack(reason: "first"));
        await Dbos.Send(Given.Due());
        await Dbos.Send(Given.Nack(token: 2, reason: "second"));
    }
}

public sealed class TaskChangeOnSqlite(SqliteEngine engine) : TaskChangeTests(engine), IClassFixture<SqliteEngine>;
