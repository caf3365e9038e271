using System.Globalization;

namespace Dbos.Soak;

/// <summary>What was measured, as reports tell it.</summary>
internal static class Figures
{
    /// <summary>0: nothing was measured.</summary>
    public static double Ms(TimeSpan[] sorted, double quantile) =>
        sorted.Length == 0 ? 0 : sorted[(int)((sorted.Length - 1) * quantile)].TotalMilliseconds;

    public static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
