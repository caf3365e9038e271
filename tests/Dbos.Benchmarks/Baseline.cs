using System.Text.Encodings.Web;
using System.Text.Json;
using Dbos.Testing;

namespace Dbos.Benchmarks;

/// <summary>
/// The committed cost ratios that a short form is compared with. Ratios, as machines differ: the noise and the speed of
/// a machine are in both of their parts.
/// </summary>
internal static class Baseline
{
    /// <summary>Repeated runs differ by less; a change that makes a call twice as dear does not.</summary>
    private const double Tolerance = 1.5;

    private static readonly string File = Path.Combine(ProductFiles.Repository, "docs", "results", "baseline.json");

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The limit of each ratio that was measured.</summary>
    /// <exception cref="InvalidOperationException">The file has no value for a ratio.</exception>
    public static IReadOnlyList<Target> Limits(IEnumerable<CostRatio> costs)
    {
        var committed = Read();
        return
        [
            .. costs.Where(cost => cost.Value is not null).Select(cost => committed.TryGetValue(cost.Name, out var ratio)
                ? Target.AtMost(cost.Name, cost.Value, ratio * Tolerance, format: "F2")
                : throw new InvalidOperationException($"{File} has no '{cost.Name}': write it with --short --write-baseline")),
        ];
    }

    /// <summary>Replaces the ratios that were measured and keeps the others.</summary>
    public static void Write(IEnumerable<CostRatio> costs)
    {
        var ratios = Read();
        foreach (var cost in costs)
        {
            if (cost.Value is { } value)
            {
                ratios[cost.Name] = Math.Round(value, 2);
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, JsonSerializer.Serialize(ratios, Json) + "\n");
        Console.WriteLine($"{File} is written.");
    }

    private static SortedDictionary<string, double> Read() => System.IO.File.Exists(File)
        ? JsonSerializer.Deserialize<SortedDictionary<string, double>>(System.IO.File.ReadAllText(File))!
        : [];
}
