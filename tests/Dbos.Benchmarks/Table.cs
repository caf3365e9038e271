using System.Text;

namespace Dbos.Benchmarks;

/// <summary>A table in Markdown, aligned so that it is readable as plain text too. All columns but the first hold numbers.</summary>
internal sealed class Table(params string[] columns)
{
    private readonly List<string[]> rows = [];

    public void Add(params string?[] cells) => rows.Add([.. cells.Select(cell => cell ?? string.Empty)]);

    public override string ToString()
    {
        var widths = columns.Select((column, i) => rows.Select(row => row[i].Length).Append(column.Length).Append(3).Max()).ToArray();
        var text = new StringBuilder();
        Append(columns);
        Append([.. widths.Select((width, i) => i == 0 ? new string('-', width) : $"{new string('-', width - 1)}:")]);
        rows.ForEach(Append);
        return text.ToString();

        void Append(string[] cells) => text
            .Append("| ")
            .AppendJoin(" | ", cells.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))
            .Append(" |\n");
    }
}
