namespace Dbos.Domain.Tasks;

/// <summary>What a negative acknowledgement asks for.</summary>
public enum NackKind
{
    /// <summary>Another delivery after a delay, within the task's retries.</summary>
    Retry,

    /// <summary>No other delivery: the task is dead-lettered.</summary>
    DeadLetter,

    /// <summary>Another delivery at once, and nothing counts as a failure.</summary>
    Release,
}
