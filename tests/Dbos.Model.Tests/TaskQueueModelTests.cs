using System.Diagnostics;
using System.Globalization;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Model.Tests.Steps;
using Dbos.Model.Tests.Walks;
using FsCheck;
using FsCheck.Fluent;

namespace Dbos.Model.Tests;

/// <summary>
/// Random walks through the task queue, over two replicas on one store, agree with a small model in memory in every
/// step: answers, tasks, the order in which they are taken and listed, and counts. A walk that does not is shrunk.
/// MODEL_SECONDS is how long each of these tests looks for one, 7 by default.
/// </summary>
public abstract class TaskQueueModelTests(IEngine engine)
{
    private const int WalksOfARound = 5;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("MODEL_SECONDS") ?? "7", CultureInfo.InvariantCulture));

    protected void WalksAgree(OpenOptions options)
    {
        var since = Stopwatch.StartNew();
        do
        {
            Prop.ForAll(StepGenerator.Walks, walk => Go(walk, options).GetAwaiter().GetResult())
                .Check(Config.QuickThrowOnFailure.WithMaxTest(WalksOfARound).WithQuietOnSuccess(true));
        }
        while (since.Elapsed < Duration);
    }

    /// <summary>Delays are hours, so that none passes by itself.</summary>
    /// <param name="keepsEnded">What ended is kept for hours; else it is not counted from then on.</param>
    protected static OpenOptions Options(bool keepsEnded) => new()
    {
        Policy = OpenOptions.DefaultPolicy with
        {
            RetryBackoff = new Backoff(TimeSpan.FromHours(8), TimeSpan.FromHours(12)),
            CompletedTaskRetention = keepsEnded ? TimeSpan.FromHours(1) : TimeSpan.Zero,
        },
    };

    private async Task<bool> Go(Step[] walk, OpenOptions options)
    {
        await using var first = await engine.Open(options);
        await using var second = await engine.OpenBeside(first);
        await new QueueWalk([first, second]).Go(walk);
        return true;
    }
}

public sealed class TaskQueueModelOnRedis(RedisEngine engine) : TaskQueueModelTests(engine), IClassFixture<RedisEngine>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_one_partition_walks_agree_with_the_model(bool keepsEnded) =>
        WalksAgree(Options(keepsEnded) with { Settings = settings => settings with { Partitions = 1 } });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_several_partitions_walks_agree_with_the_model(bool keepsEnded) =>
        WalksAgree(Options(keepsEnded) with { Settings = settings => settings with { Partitions = 4 } });
}

public sealed class TaskQueueModelOnSqlite(SqliteEngine engine) : TaskQueueModelTests(engine), IClassFixture<SqliteEngine>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Walks_agree_with_the_model(bool keepsEnded) => WalksAgree(Options(keepsEnded));
}
