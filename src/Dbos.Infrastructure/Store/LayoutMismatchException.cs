using System.Globalization;

namespace Dbos.Infrastructure.Store;

/// <summary>The store is not one that this DBOS can serve as configured: the sentence says what to do.</summary>
public sealed class LayoutMismatchException : Exception
{
    private LayoutMismatchException(StoreSettings settings, FormattableString why)
        : base($"{settings.Subject} {why.ToString(CultureInfo.InvariantCulture)}")
    {
    }

    /// <summary>An earlier move was begun and not ended.</summary>
    public bool IsMoving { get; private init; }

    public static LayoutMismatchException OtherPartitions(StoreSettings settings, int stored, int wanted) => new(
        settings,
        $"has {stored} partitions, not {wanted}: unset PARTITIONS or set it to {stored}, or KEY_PREFIX to another store, or move this one with build/repartition {stored} {wanted}");

    public static LayoutMismatchException Older(StoreSettings settings, int stored) => new(
        settings,
        $"has schema version {stored}, older than this DBOS's {StoreLayout.CurrentSchema}: run 'export FILE' and 'clear FILE' with the DBOS that wrote it, then 'import FILE' with this one");

    public static LayoutMismatchException Newer(StoreSettings settings, int stored) => new(
        settings,
        $"has schema version {stored}, newer than this DBOS's {StoreLayout.CurrentSchema}: start the DBOS that wrote it, or a later one");

    public static LayoutMismatchException Moving(StoreSettings settings) => new(
        settings,
        $"is being moved and not whole: end it with the command 'import FILE', of the file that the move began with")
    {
        IsMoving = true,
    };
}
