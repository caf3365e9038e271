namespace Dbos.Domain.Tasks;

/// <summary>Where in its life a task is. On the wire: the name in lower case.</summary>
public enum MeasurementTaskStatus
{
    /// <summary>Waits until it is visible.</summary>
    Pending,

    /// <summary>Delivered, and held under a lease.</summary>
    Inflight,

    /// <summary>Acknowledged.</summary>
    Completed,

    /// <summary>Failed or expired too often: a dead letter.</summary>
    Failed,

    /// <summary>Called off; nobody may complete it any more.</summary>
    Cancelled,
}

public static class MeasurementTaskStatusWords
{
    private static readonly string[] Words = [.. Enum.GetNames<MeasurementTaskStatus>().Select(name => name.ToLowerInvariant())];

    public static IReadOnlyList<string> All => Words;

    public static MeasurementTaskStatus? Parse(string word) =>
        Array.IndexOf(Words, word) is >= 0 and var status ? (MeasurementTaskStatus)status : null;

    public static string Word(this MeasurementTaskStatus status) => Words[(int)status];
}
