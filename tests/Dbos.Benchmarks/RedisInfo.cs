using System.Globalization;
using Dbos.Testing;

namespace Dbos.Benchmarks;

internal static class RedisInfo
{
    /// <summary>All figures of INFO by name, and <c>used_cpu</c>: seconds of processor time, system and user together.</summary>
    public static async Task<IReadOnlyDictionary<string, double>> Of(RedisServer redis)
    {
        var figures = new Dictionary<string, double>();
        foreach (var line in (await redis.Ask("INFO", "everything")).Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Split(':', 2) is [var name, var text] && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var figure))
            {
                figures[name] = figure;
            }
        }

        figures["used_cpu"] = figures["used_cpu_sys"] + figures["used_cpu_user"];
        return figures;
    }
}
