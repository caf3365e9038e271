using Dbos.Chaos.Faults;
using Xunit.Abstractions;

namespace Dbos.Chaos.Tests;

public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_minute_of_faults_breaks_no_promise()
    {
        var plan = new ChaosPlan(TimeSpan.FromMinutes(1), Seed: Random.Shared.Next(1_000_000), Single: false, Durability: "replicated", HistoryFile: null);

        // Also where the run itself fails.
        output.WriteLine($"seed {plan.Seed}");
        var report = await ChaosRun.Of(plan);

        output.WriteLine($"{report}");
        report.Violations.Should().BeEmpty("of a run that did this: {0}", report);
        report.Faults.Select(fault => fault.Fault).Should().Contain([Fault.DbosKilled, Fault.ClientsCutOff, Fault.MasterKilled], "each was made: {0}", report);
        report.Calls.Count(call => call.IsAcknowledged).Should().BeGreaterThan(100, "clients were to be served: {0}", report);
    }
}
