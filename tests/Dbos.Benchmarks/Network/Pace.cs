using System.Diagnostics;

namespace Dbos.Benchmarks.Network;

/// <summary>Starts calls at a fixed rate, whether or not earlier ones were answered.</summary>
internal static class Pace
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <param name="call">Gets the number of the call.</param>
    /// <returns>After <paramref name="stop"/>, when every call was answered.</returns>
    public static async Task Keep(double perSecond, Func<int, Task> call, CancellationToken stop)
    {
        var calls = new List<Task>();
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Step);
        while (!stop.IsCancellationRequested)
        {
            var due = (int)(watch.Elapsed.TotalSeconds * perSecond);
            while (calls.Count < due)
            {
                calls.Add(call(calls.Count));
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        await Task.WhenAll(calls);
    }
}
