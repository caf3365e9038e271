using Xunit.Abstractions;

namespace Dbos.Chaos.Tests;

public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_minute_of_faults_breaks_no_promise()
    {
        var plan = new ChaosPlan(TimeSpan.FromMinutes(1), Seed: Random.Shared.Next(1_000_000), Single: false, Durability: "replicated", HistoryFile: null);

        var report = await ChaosRun.Of(plan);

        output.WriteLine($"{report}");
        report.Violations.Should().BeEmpty("of a run that did this: {0}", report);
        report.Faults.Should().NotBeEmpty();
        report.Calls.Count(call => call.IsAcknowledged).Should().BeGreaterThan(100, "clients were to be served: {0}", report);
    }
}
