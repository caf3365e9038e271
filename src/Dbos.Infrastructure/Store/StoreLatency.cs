using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Dbos.Infrastructure.Store;

/// <summary>How long the store takes, by the semantic conventions of OpenTelemetry.</summary>
internal static class StoreLatency
{
    private static readonly Meter Meter = new("Dbos.Infrastructure");

    private static readonly Histogram<double> Durations = Meter.CreateHistogram(
        "db.client.operation.duration",
        "s",
        "Duration of store operations.",
        advice: new InstrumentAdvice<double>
        {
            // Redis answers in tenths of milliseconds; nobody waits longer than 3 s.
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
        });

    public static bool IsWanted => Durations.Enabled;

    /// <param name="since">A <see cref="Stopwatch"/>'s timestamp from before it was asked.</param>
    /// <param name="script">Its name, where it is one that the operation runs.</param>
    /// <param name="failure">Told is what caused it; null: it was answered.</param>
    public static void Record(long since, string system, string operation, string? script, Exception? failure)
    {
        if (!IsWanted)
        {
            return;
        }

        var tags = new TagList { { "db.system.name", system }, { "db.operation.name", operation } };
        if (script is not null)
        {
            tags.Add("db.stored_procedure.name", script);
        }

        if (failure is not null)
        {
            tags.Add("error.type", (failure.InnerException ?? failure).GetType().FullName);
        }

        Durations.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, tags);
    }
}
