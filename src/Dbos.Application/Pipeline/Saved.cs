namespace Dbos.Application.Pipeline;

/// <summary>What the store did with a record that was to be written only over what it was decided on.</summary>
public abstract record Saved<T>
{
    private Saved()
    {
    }

    /// <summary>All of the commit landed.</summary>
    public sealed record Done(long Version) : Saved<T>;

    /// <summary>The mark was there: nothing was written.</summary>
    public sealed record Replayed(FirstAnswer First) : Saved<T>;

    /// <summary>Something else is stored: nothing was written.</summary>
    /// <param name="Found">What is stored; null: nothing.</param>
    public sealed record Conflict(T? Found) : Saved<T>;
}
