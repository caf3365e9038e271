using System.Diagnostics;

namespace Dbos.Benchmarks;

/// <summary>What one round of calls took.</summary>
/// <param name="ServerMicroseconds">Processor time that the server process spent on a call.</param>
internal sealed record Round(double PerSecond, double MedianMs, double P99Ms, double ServerMicroseconds)
{
    /// <summary>Makes the calls with so many in flight, each worker one after the other.</summary>
    public static async Task<Round> Of(int calls, int inFlight, int server, Func<int, int, Task> call)
    {
        var latencies = new double[calls];
        var next = -1;
        var before = ProcessorTime(server);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(worker => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < calls; i = Interlocked.Increment(ref next))
            {
                var since = Stopwatch.GetTimestamp();
                await call(worker, i);
                latencies[i] = Stopwatch.GetElapsedTime(since).TotalMilliseconds;
            }
        })));
        var perSecond = calls / watch.Elapsed.TotalSeconds;
        var spent = ProcessorTime(server) - before;
        Array.Sort(latencies);
        return new Round(perSecond, latencies[calls / 2], latencies[calls * 99 / 100], spent.TotalMicroseconds / calls);
    }

    public static TimeSpan ProcessorTime(int server)
    {
        using var process = Process.GetProcessById(server);
        return process.TotalProcessorTime;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
