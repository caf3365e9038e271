using System.Globalization;

namespace Dbos.Application.Tests.Validation;

/// <summary>What only requests to the task queue must keep to.</summary>
public sealed class QueueRuleTests
{
    private static readonly TaskFilter OfAgent = new("agent-1", string.Empty);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_lease_is_extended_only_by_its_token(long token) =>
        Shape.WrongIn(new ExtendTaskLease("task-1", token, 0)).Should().Be(
            string.Create(CultureInfo.InvariantCulture, $"lease_token must be from 1 to 9223372036854775807, but is {token}"));

    [Fact]
    public void A_task_cannot_return_at_once_and_after_a_delay() =>
        Shape.WrongIn(new NackTask("task-1", 30, RetryAtOnce: true, 0, string.Empty)).Should().Be(
            "retry_delay_seconds must be 0 together with retry_at_once, but is 30");

    [Theory]
    [InlineData("")]
    [InlineData("pending")]
    [InlineData("inflight")]
    [InlineData("completed")]
    [InlineData("failed")]
    [InlineData("cancelled")]
    public void Tasks_are_listed_by_a_status_that_exists_or_all(string status) => Shape.WrongIn(List(status)).Should().BeNull();

    [Theory]
    [InlineData("dead")]
    [InlineData("Pending")]
    public void Another_status_is_refused_with_the_list_of_those_that_exist(string status) =>
        Shape.WrongIn(List(status)).Should().Be(
            $"status must be empty or one of pending, inflight, completed, failed, cancelled, but is '{status}'");

    public static TheoryData<string, Func<int, object>> Batches => new()
    {
        { "tasks", count => new ScheduleTasks([.. Enumerable.Repeat(new ScheduleTask(Samples.NewTask), count)]) },
        { "acks", count => new AckTasks([.. Enumerable.Repeat(new AckTask("task-1", 1), count)]) },
    };

    [Theory]
    [MemberData(nameof(Batches))]
    public void A_batch_is_of_one_to_a_thousand(string field, Func<int, object> batch)
    {
        Shape.WrongIn(batch(1)).Should().BeNull();
        Shape.WrongIn(batch(1_000)).Should().BeNull();
        Shape.WrongIn(batch(0)).Should().Be($"{field} must be 1 to 1000, but is 0");
        Shape.WrongIn(batch(1_001)).Should().Be($"{field} must be 1 to 1000, but is 1001");
    }

    [Fact]
    public void A_bad_write_does_not_spoil_its_batch() =>
        Shape.WrongIn(new AckTasks([new AckTask(string.Empty, -1), new AckTask("task-1", 1)])).Should().BeNull();

    public static TheoryData<RequeueDeadLetterTasks, bool> Requeues => new()
    {
        { new(["task-1"], TaskFilter.Any, All: false), true },
        { new([], OfAgent, All: false), true },
        { new([], TaskFilter.Any, All: true), true },
        { new([], TaskFilter.Any, All: false), false },
        { new(["task-1"], OfAgent, All: false), false },
        { new(["task-1"], TaskFilter.Any, All: true), false },
        { new([], OfAgent, All: true), false },
        { new(["task-1"], OfAgent, All: true), false },
    };

    [Theory]
    [MemberData(nameof(Requeues))]
    public void Dead_letters_are_requeued_by_ids_or_by_a_filter_or_all_of_them(RequeueDeadLetterTasks command, bool isGood) =>
        Shape.WrongIn(command).Should().Be(
            isGood ? null : "exactly one of task_ids, a filter (agent_id, module_name) and all must be given");

    [Fact]
    public void Up_to_a_thousand_dead_letters_are_named()
    {
        Shape.WrongIn(Requeue(1_000)).Should().BeNull();
        Shape.WrongIn(Requeue(1_001)).Should().Be("task_ids must be at most 1000, but is 1001");
    }

    private static ListTasks List(string status) => new(status, TaskFilter.Any, Samples.WholeList);

    private static RequeueDeadLetterTasks Requeue(int count) =>
        new([.. Enumerable.Range(1, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"task-{i}"))], TaskFilter.Any, All: false);
}
