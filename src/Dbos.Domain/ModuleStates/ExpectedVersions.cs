namespace Dbos.Domain.ModuleStates;

/// <summary>The stored versions over which a report may be written. Version 0: nothing is stored.</summary>
public readonly record struct ExpectedVersions(long Least, long Most)
{
    public static readonly ExpectedVersions Any = new(0, long.MaxValue);

    public static ExpectedVersions Exactly(long version) => new(version, version);

    /// <summary>By the version inside a report: 0 says nothing; 1 is also what some callers fill into their first report.</summary>
    public static ExpectedVersions Read(long version) => version switch
    {
        0 => Any,
        1 => new ExpectedVersions(0, 1),
        _ => Exactly(version),
    };

    public bool Include(long version) => version >= Least && version <= Most;
}
