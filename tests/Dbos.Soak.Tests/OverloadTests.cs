using Dbos.Soak.Overload;

namespace Dbos.Soak.Tests;

public sealed class OverloadTests
{
    [Fact]
    public async Task Beyond_capacity_what_is_accepted_is_answered_soon_and_the_rest_is_refused()
    {
        var report = await OverloadRun.Of(capacity: TimeSpan.FromSeconds(3), length: TimeSpan.FromSeconds(6));

        report.Faults.Should().BeEmpty("of an overload that was this: {0}", report);
    }
}
