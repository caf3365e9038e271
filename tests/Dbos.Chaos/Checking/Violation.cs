namespace Dbos.Chaos.Checking;

/// <summary>What DBOS promises never to do.</summary>
internal enum Promise
{
    AcknowledgedWriteLost,
    ResultStoredTwice,
    TaskHeldTwice,
    VersionSkippedOrRepeated,
    EventMissing,

    /// <summary>Of an acknowledgement with a result and a state one part was done, and another was not.</summary>
    AcknowledgementTorn,

    /// <summary>What was answered before a read began was not in it.</summary>
    StaleRead,

    /// <summary>A replay of what nobody had sent, or a refusal that nobody had given cause for.</summary>
    AnsweredWithoutCause,

    /// <summary>Indexes, counts and records of tasks do not fit together.</summary>
    StoreInconsistent,

    /// <summary>DBOS failed at a call itself; an outage has other words.</summary>
    Failed,
}

/// <summary>A broken promise, in one sentence.</summary>
internal sealed record Violation(Promise Promise, string Sentence);
