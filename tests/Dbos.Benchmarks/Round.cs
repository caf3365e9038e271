using System.Diagnostics;

namespace Dbos.Benchmarks;

/// <summary>What one round of calls took.</summary>
/// <param name="ServerMicroseconds">Processor time of the server process per call.</param>
internal sealed record Round(double PerSecond, double MedianMs, double P99Ms, double ServerMicroseconds)
{
    /// <summary>Makes the calls with so many in flight.</summary>
    /// <param name="call">Gets the number of the worker and the number of the call.</param>
    /// <param name="inSequence">One worker makes so many consecutive calls, each after the answer to the one before.</param>
    public static async Task<Round> Of(int calls, int inFlight, int server, Func<int, int, Task> call, int inSequence = 1)
    {
        var latencies = new double[calls];
        var next = -inSequence;
        var before = ProcessorClock.Of(server);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(worker => Task.Run(async () =>
        {
            int first;
            while ((first = Interlocked.Add(ref next, inSequence)) < calls)
            {
                for (var i = first; i < Math.Min(first + inSequence, calls); i++)
                {
                    var since = Stopwatch.GetTimestamp();
                    await call(worker, i);
                    latencies[i] = Stopwatch.GetElapsedTime(since).TotalMilliseconds;
                }
            }
        })));
        var perSecond = calls / watch.Elapsed.TotalSeconds;
        var spent = ProcessorClock.Of(server) - before;
        return new Round(perSecond, Median(latencies), Percentile(latencies, 99), spent.TotalMicroseconds / calls);
    }

    public static double Median(IEnumerable<double> values) => Percentile(values, 50);

    /// <returns>NaN: there are no values.</returns>
    public static double Percentile(IEnumerable<double> values, int percent)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length * percent / 100];
    }
}
