using System.Globalization;

namespace Dbos.Application.Tests.Validation;

public sealed class NumberRuleTests
{
    private const long LastSecondOfYear9999 = 253_402_300_799;

    public static TheoryData<string, Func<long, object>> Times => new()
    {
        { "agent.last_seen", time => new RegisterAgent(Samples.Heartbeat with { LastSeen = time }) },
        { "agent.first_seen", time => new RegisterAgent(Samples.Heartbeat with { FirstSeen = time }) },
        { "state.timestamp", time => new SetModuleState(Samples.Report with { Timestamp = time }, null) },
        { "result.timestamp", time => new StoreResult(Samples.Result with { Timestamp = time }) },
        { "result.received_at", time => new StoreResult(Samples.Result with { ReceivedAt = time }) },
        { "result.agent_start_time", time => new StoreResult(Samples.Result with { AgentStartTime = time }) },
        { "task.scheduled_at", time => new ScheduleTask(Samples.NewTask with { ScheduledAt = time }) },
        { "task.created_at", time => new ScheduleTask(Samples.NewTask with { CreatedAt = time }) },
        { "task.visibility_time", time => new ScheduleTask(Samples.NewTask with { VisibilityTime = time }) },
        { "timestamp", time => new ListDueTasks(TaskFilter.Any, time, 0, 0) },
        { "since", number => new GetEvents(0, EventFilter.Of(string.Empty, string.Empty, string.Empty, number), string.Empty) },
    };

    public static TheoryData<string, long, Func<long, object>> Ranges => new()
    {
        { "agent.total_heartbeats", int.MaxValue, number => new RegisterAgent(Samples.Heartbeat with { TotalHeartbeats = (int)number }) },
        { "page_size", 10_000, number => new ListAgents(AgentFilter.All, new PageRequest((int)number, string.Empty)) },
        { "page_size", 10_000, number => new ListModuleStates("agent-1", "ping", new PageRequest((int)number, string.Empty)) },
        { "page_size", 10_000, number => new ListResults("agent-1", new PageRequest((int)number, string.Empty)) },
        { "page_size", 10_000, number => new ListTasks(string.Empty, TaskFilter.Any, new PageRequest((int)number, string.Empty)) },
        { "page_size", 10_000, number => new ListDeadLetterTasks(TaskFilter.Any, new PageRequest((int)number, string.Empty)) },
        { "state.version", long.MaxValue, number => new SetModuleState(Samples.Report with { Version = number }, null) },
        { "expected_version", long.MaxValue, number => new SetModuleState(Samples.Report, number) },
        { "task.retry_count", int.MaxValue, number => new ScheduleTask(Samples.NewTask with { RetryCount = (int)number }) },
        { "task.max_retries", 1_000, number => new ScheduleTask(Samples.NewTask with { MaxRetries = (int)number }) },
        { "task.max_expiries", 1_000, number => new ScheduleTask(Samples.NewTask with { MaxExpiries = (int)number }) },
        { "task.priority", 9, number => new ScheduleTask(Samples.NewTask with { Priority = (int)number }) },
        { "limit", 1_000, number => new ListDueTasks(TaskFilter.Any, 0, (int)number, 0) },
        { "visibility_timeout_seconds", 12 * 60 * 60, number => new ListDueTasks(TaskFilter.Any, 0, 0, number) },
        { "max_inflight", 1_000, number => new StreamDueTasks(TaskFilter.Any, (int)number, 0) },
        { "visibility_timeout_seconds", 12 * 60 * 60, number => new StreamDueTasks(TaskFilter.Any, 0, number) },
        { "seconds", 12 * 60 * 60, number => new ExtendTaskLease("task-1", 1, number) },
        { "lease_token", long.MaxValue, number => new AckTask("task-1", number) },
        { "lease_token", long.MaxValue, number => new NackTask("task-1", 0, false, number, string.Empty) },
        { "retry_delay_seconds", 30 * 24 * 60 * 60, number => new NackTask("task-1", number, false, 0, string.Empty) },
        { "filter", 2, number => new ListAgents((AgentFilter)number, Samples.WholeList) },
        { "window_seconds", 315_360_000, number => new GetAgentHistory("agent-1", number) },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time_is_from_0_to_the_year_9999(string field, Func<long, object> request)
    {
        Shape.WrongIn(request(0)).Should().BeNull();
        Shape.WrongIn(request(LastSecondOfYear9999)).Should().BeNull();
        foreach (var wrong in new[] { -1, LastSecondOfYear9999 + 1, long.MinValue, long.MaxValue })
        {
            Shape.WrongIn(request(wrong)).Should().Be(
                string.Create(CultureInfo.InvariantCulture, $"{field} must be Unix seconds from 0 to the year 9999, but is {wrong}"));
        }
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_number_is_within_its_range(string field, long most, Func<long, object> request)
    {
        Shape.WrongIn(request(0)).Should().BeNull();
        Shape.WrongIn(request(most)).Should().BeNull();
        long[] wrong = most is int.MaxValue or long.MaxValue ? [-1] : [-1, most + 1];
        foreach (var number in wrong)
        {
            Shape.WrongIn(request(number)).Should().Be(
                string.Create(CultureInfo.InvariantCulture, $"{field} must be from 0 to {most}, but is {number}"));
        }
    }
}
