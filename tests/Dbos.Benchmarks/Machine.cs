using System.Globalization;
using System.Runtime.InteropServices;

namespace Dbos.Benchmarks;

internal static class Machine
{
    /// <summary>Load average of the last minute: where it is not near 0 at the start, other programs disturb the measurement.</summary>
    public static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    /// <summary>Number of cores, processor model, memory and software.</summary>
    public static string Description()
    {
        var cpu = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 30);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} × {cpu?.Split(':')[1].Trim()}, {memory} GiB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}; client, servers and Redis share it");
    }
}
