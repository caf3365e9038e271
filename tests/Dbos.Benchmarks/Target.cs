using System.Globalization;

namespace Dbos.Benchmarks;

/// <summary>A measured figure and the bound that it must keep.</summary>
/// <param name="Value">Null: it was not measured.</param>
/// <param name="Other">The same figure of the server that <c>--beside</c> names; null: not measured.</param>
internal sealed record Target(string Name, double? Value, double Must, double? Other = null)
{
    /// <summary>True: Must is an upper bound; false: a lower bound.</summary>
    private bool IsLimit { get; init; }

    private string Format { get; init; } = "F2";

    public bool IsMet => Value is { } value && (IsLimit ? value <= Must : value >= Must);

    public static Target AtLeast(string name, double? value, double must, double? other = null) => new(name, value, must, other);

    public static Target AtMost(string name, double? value, double must, double? other = null, string format = "F1") =>
        new(name, value, must, other) { IsLimit = true, Format = format };

    public static Table Tabulate(IReadOnlyCollection<Target> targets, string? otherName = null)
    {
        string[] columns = ["figure", "value", "must", "", .. otherName is null ? Array.Empty<string>() : [otherName]];
        var table = new Table(columns);
        foreach (var target in targets)
        {
            string?[] cells =
            [
                target.Name, target.Text(target.Value) ?? "not measured", $"{(target.IsLimit ? "<=" : ">=")} {target.Text(target.Must)}",
                target.IsMet ? string.Empty : "missed", target.Text(target.Other),
            ];
            table.Add(cells[..columns.Length]);
        }

        return table;
    }

    private string? Text(double? figure) => figure?.ToString(Format, CultureInfo.InvariantCulture);
}
