namespace Dbos.Domain.Answers;

/// <summary>Why a request was refused, for machines.</summary>
public enum RefusalCode
{
    Validation = 1,
    NotFound,
    InvalidTransition,
    VersionConflict,
    LeaseLost,
    OwnerMismatch,
    IdempotencyKeyReused,
    TaskCancelled = 9,
    NoLongerKept,
}

/// <summary>An expected "no": a value, not an exception. The sentence is for the caller's eyes.</summary>
public sealed record Refusal(RefusalCode Code, string Sentence);
