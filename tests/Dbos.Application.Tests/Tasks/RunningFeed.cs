using System.Threading.Channels;
using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

/// <summary>A feed as a caller of StreamDueTasks gets it, over a queue that is made up.</summary>
internal sealed class RunningFeed : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource caller = new();
    private readonly Channel<IReadOnlyList<MeasurementTask>> deliveries = Channel.CreateUnbounded<IReadOnlyList<MeasurementTask>>();

    private RunningFeed(TaskFeed feed, Action<IReadOnlyList<MeasurementTask>> deliver) => Run = feed.Run(
        tasks =>
        {
            deliver(tasks);
            return deliveries.Writer.WriteAsync(tasks).AsTask();
        },
        caller.Token);

    public Task Run { get; }

    /// <param name="deliver">Fails where the caller cannot be reached.</param>
    public static async Task<RunningFeed> Start(
        SubstitutedDbos dbos, StreamDueTasks command, Action<IReadOnlyList<MeasurementTask>>? deliver = null) =>
        new((await dbos.Ask(command)).Value, deliver ?? (_ => { }));

    /// <returns>The ids of the tasks of the next message.</returns>
    public async Task<string[]> Next() =>
        [.. (await deliveries.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Select(task => task.Id)];

    /// <summary>Until it waits to be told of something due.</summary>
    public static void ShouldWaitForWork(SubstitutedDbos dbos) =>
        SpinWait.SpinUntil(() => dbos.Services.GetRequiredService<TaskSignals>().HasWaiting, Patience).Should().BeTrue();

    public async Task HangUp()
    {
        await caller.CancelAsync();
        await Run.Awaiting(run => run.WaitAsync(Patience)).Should().ThrowAsync<OperationCanceledException>();
    }

    public async ValueTask DisposeAsync()
    {
        await caller.CancelAsync();
        await Run.WaitAsync(Patience).ContinueWith(_ => { }, TaskScheduler.Default);
        caller.Dispose();
    }
}
