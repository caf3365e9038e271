using Dbos.Domain.ModuleStates;

namespace Dbos.Domain.Tests.ModuleStates;

/// <summary>A transition graph written out as a table: a row for each "from", a column for each "to".</summary>
internal static class TransitionTable
{
    public const string Nothing = "nothing";

    public static TheoryData<RunState?, RunState, bool> Parse(string table)
    {
        var lines = table.Split('\n').Select(Words).ToArray();
        var columns = lines[0][1..].Select(Word).ToArray();
        var cells = new TheoryData<RunState?, RunState, bool>();
        foreach (var row in lines[1..])
        {
            RunState? from = row[0] == Nothing ? null : Word(row[0]);
            foreach (var (to, cell) in columns.Zip(row[1..]))
            {
                cells.Add(from, to, cell == "yes");
            }
        }

        return cells;
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static RunState Word(string word) =>
        RunStateWords.Parse(word) ?? throw new ArgumentException($"'{word}' is no state", nameof(word));
}
