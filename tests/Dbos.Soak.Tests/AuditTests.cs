using Dbos.Soak.Audit;

namespace Dbos.Soak.Tests;

public sealed class AuditTests
{
    [Fact]
    public async Task An_audit_of_a_long_queue_finds_nothing_and_holds_up_nobody()
    {
        var report = await AuditRun.Of(tasks: 20_000, quiet: TimeSpan.FromSeconds(1));

        report.Faults.Should().BeEmpty("of an audit that was this: {0}", report);
    }
}
