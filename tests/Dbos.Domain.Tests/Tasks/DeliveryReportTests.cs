using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>What is written when a delivery ends with a result and a state.</summary>
public sealed class DeliveryReportTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    private static readonly MeasurementTask Inflight = new(
        "task-1", "agent-1", "ping", default, 0, 0, MeasurementTaskStatus.Inflight, Now.AddMinutes(5), new RetryPolicy(3, 10), LeaseToken: 1);

    private static readonly DeliveryReport Report = new(
        "agent-1",
        new MeasurementResult("task-1", "agent-1", "ping", new byte[] { 1 }, 0, 0, 0, string.Empty, string.Empty, string.Empty, string.Empty),
        new ReportedState("agent-1", "ping", RunState.Completed, string.Empty, new Dictionary<string, string>(), 0, "task-1", ExpectedVersions.Any));

    private static readonly ModuleState Completed = ModuleState.Report(null, Report.State!, Now).Value.Next;

    /// <summary>Stored result, whether the state is stored, whether the task is completed; outcome: what is written, or the refusal's code.</summary>
    [Theory]
    [InlineData(KnownResult.None, false, false, "task result state")]
    [InlineData(KnownResult.Same, false, false, "task state")]
    [InlineData(KnownResult.Other, false, false, "task state differs")]
    [InlineData(KnownResult.None, true, false, "task result")]
    [InlineData(KnownResult.Same, true, false, "task")]
    [InlineData(KnownResult.Same, true, true, "replay")]
    [InlineData(KnownResult.None, true, true, "InvalidTransition")]
    [InlineData(KnownResult.Other, true, true, "InvalidTransition")]
    [InlineData(KnownResult.Same, false, true, "InvalidTransition")]
    public void What_is_stored_decides_what_is_written(KnownResult result, bool hasState, bool isCompleted, string outcome) =>
        Outcome(isCompleted ? Inflight.Acknowledge(1, Now).Value.Next : Inflight, 1, result, hasState ? Completed : null).Should().Be(outcome);

    [Fact]
    public void The_token_is_checked_first() =>
        Outcome(Inflight, 2, KnownResult.None, Completed with { State = RunState.Failed }).Should().Be("LeaseLost");

    [Fact]
    public void Another_agents_task_is_refused() =>
        Outcome(Inflight with { AgentId = "agent-2" }, 1, KnownResult.None, null).Should().Be("OwnerMismatch");

    [Fact]
    public void A_state_that_must_not_follow_refuses_the_whole() =>
        Outcome(Inflight, 1, KnownResult.None, Completed with { State = RunState.Failed }).Should().Be("InvalidTransition");

    private static string Outcome(MeasurementTask task, long token, KnownResult result, ModuleState? state)
    {
        var end = Report.End(task, task.Acknowledge(token, Now), result, state, Now);
        if (end.IsRefused)
        {
            return end.Refusal.Code.ToString();
        }

        var (ended, stored, reported, differs) = end.Value;
        return ended.IsReplay ? "replay" : string.Join(' ', new[] { "task", stored is null ? "" : "result", reported is null ? "" : "state", differs ? "differs" : "" }.Where(word => word.Length > 0));
    }
}
