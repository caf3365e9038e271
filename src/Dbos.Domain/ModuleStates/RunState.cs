namespace Dbos.Domain.ModuleStates;

/// <summary>How far a run, or a module's own life, is. On the wire: the name in lower case.</summary>
public enum RunState
{
    Created,
    Started,
    Running,
    Completed,
    Error,
    Failed,
    Stopped,
}

public static class RunStateWords
{
    private static readonly string[] Words = [.. Enum.GetNames<RunState>().Select(name => name.ToLowerInvariant())];

    public static string Word(this RunState state) => Words[(int)state];

    /// <summary>Null: no such word. Spelled exactly, as callers do.</summary>
    public static RunState? Parse(string word)
    {
        var index = Array.IndexOf(Words, word);
        return index < 0 ? null : (RunState)index;
    }
}
