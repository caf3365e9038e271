using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Crashes;

public sealed class KillUnderLoadTests
{
    private const int Rounds = 3;
    private const int FewestWrites = 50;
    private const int MostWrites = 800;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Embedded)]
    public async Task Kill_9_of_DBOS_loses_and_doubles_no_acknowledged_write(StoreKind kind)
    {
        await using var dbos = await Deployment.Start(kind);
        await ShouldSurvive(dbos, async () =>
        {
            await dbos.Server.Kill();
            await dbos.Server.Restart();
        });
    }

    [Fact]
    public async Task Kill_9_of_Redis_loses_and_doubles_no_acknowledged_write()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        await ShouldSurvive(dbos, async () =>
        {
            await dbos.Redis.Kill();
            await dbos.Redis.Start();
            await dbos.Server.WaitUntilAnswering(Patience);
        });
    }

    private static async Task ShouldSurvive(Deployment dbos, Func<Task> killAndStartAgain)
    {
        var written = new List<Write>();
        for (var round = 0; round < Rounds; round++)
        {
            var load = WriteLoad.Start(dbos);
            await load.WaitUntilAcknowledged(Random.Shared.Next(FewestWrites, MostWrites));
            await killAndStartAgain();
            written.AddRange(await load.Outcome());

            await dbos.Client.ShouldHoldWhatItAcknowledged(written);
        }

        var cutOff = written.Where(write => !write.Acknowledged).ToArray();
        cutOff.Should().NotBeEmpty("the kill is to hit writes in flight");
        await dbos.Client.SendAgain(cutOff);
        await dbos.Client.ShouldHoldWhatItAcknowledged([.. written.Select(write => write with { Failure = null })]);
    }
}
