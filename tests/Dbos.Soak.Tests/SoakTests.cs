namespace Dbos.Soak.Tests;

public sealed class SoakTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_task_is_completed_once_while_takers_and_DBOS_are_killed(bool embedded)
    {
        var report = await SoakRun.Of(SoakPlan.Brief(embedded));

        report.Faults.Should().BeEmpty("of a soak that did this: {0}", report);
        report.Kills.Should().BeGreaterThan(0, "somebody was to be killed: {0}", report);
    }
}
