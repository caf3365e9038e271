using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class RetentionSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public async Task A_slice_of_what_ended_is_purged(int purged)
    {
        dbos.Tasks.PurgeEnded(Arg.Any<CancellationToken>()).Returns(purged);

        (await dbos.Services.GetServices<ISweep>().OfType<RetentionSweep>().Single().Run(default)).Should().Be(purged);
    }

    public void Dispose() => dbos.Dispose();
}
