using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class LeaseSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public async Task A_slice_of_the_expired_leases_ends_in_dboss_own_name(int expired)
    {
        dbos.Tasks.ExpireLeases(Origin.Background("lease-sweep"), Arg.Any<CancellationToken>()).Returns(expired);

        (await dbos.Services.GetServices<ISweep>().OfType<LeaseSweep>().Single().Run(default)).Should().Be(expired);
    }

    public void Dispose() => dbos.Dispose();
}
