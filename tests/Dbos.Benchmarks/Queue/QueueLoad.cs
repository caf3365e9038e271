namespace Dbos.Benchmarks.Queue;

/// <summary>How much each turn does, and how many rounds there are.</summary>
internal sealed record QueueLoad
{
    public const int Agents = 20;
    public const int Batch = 100;
    public const int BatchesInFlight = 4;
    public const int Takers = 4;

    /// <summary>In the form that JSON.stringify writes, so that every queue keeps the same bytes.</summary>
    public const string Payload =
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.2,12.6,12.2,12.3,12.1,12.5,12.5],"loss":0.1}""";

    public int InFlight { get; } = 64;

    /// <summary>Tasks of one turn.</summary>
    public int Tasks { get; private init; } = 8_000;

    /// <summary>Tasks of a turn that takes them one by one, which is slower.</summary>
    public int TasksOneByOne { get; } = 1_600;

    public int WarmUpRounds { get; private init; } = 8;

    public int Rounds { get; private init; } = 11;

    public static QueueLoad Of(Options options)
    {
        var load = options.Short ? new QueueLoad { Tasks = 4_000, WarmUpRounds = 3, Rounds = 5 } : new QueueLoad();
        return options.Rounds is { } rounds ? load with { Rounds = rounds, WarmUpRounds = Math.Min(load.WarmUpRounds, rounds) } : load;
    }
}
