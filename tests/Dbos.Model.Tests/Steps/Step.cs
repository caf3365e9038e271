using Dbos.Application.Tasks;

namespace Dbos.Model.Tests.Steps;

/// <summary>One call, or one run of a sweep, on one of the replicas. Which task or token it names is settled when it is made.</summary>
internal abstract record Step
{
    public int Replica { get; init; }

    /// <summary>An idempotency key that the caller names; null: none.</summary>
    public string? Key { get; init; }
}

internal enum Due
{
    /// <summary>In 2017.</summary>
    LongAgo,
    Now,

    /// <summary>In 2100.</summary>
    Later,
}

/// <summary>Which token a holder gives.</summary>
internal enum Token
{
    Current,
    None,
    Stale,
    Future,
}

internal enum Lease
{
    /// <summary>A millisecond: it has expired when the next step begins.</summary>
    Short,
    OneHour,
    ThreeHours,
}

/// <param name="Offset">Seconds after <paramref name="Due"/>.</param>
internal sealed record Planned(int Task, string Agent, string Module, int Priority, Due Due, int Offset, int MaxRetries, int MaxExpiries);

internal sealed record Schedule(IReadOnlyList<Planned> Tasks) : Step
{
    public override string ToString() => $"Schedule on {Replica} key {Key}: {string.Join(", ", Tasks)}";
}

/// <param name="Offset">Seconds after <paramref name="Due"/>: what is due then is taken.</param>
internal sealed record Take(TaskFilter Filter, int Limit, Due Due, int Offset, Lease Lease) : Step;

internal sealed record Extend(int Task, Token Token, int Hours) : Step;

internal readonly record struct Held(int Task, Token Token);

internal sealed record Ack(IReadOnlyList<Held> Tasks) : Step
{
    public override string ToString() => $"Ack on {Replica} key {Key}: {string.Join(", ", Tasks)}";
}

/// <param name="DelayHours">0: the backoff's.</param>
internal sealed record Nack(int Task, Token Token, bool AtOnce, int DelayHours) : Step;

internal sealed record Cancel(int Task) : Step;

/// <summary>The latest take is given back undelivered.</summary>
internal sealed record GiveBack : Step;

internal sealed record ExpireLeases : Step;

internal sealed record Purge : Step;

/// <param name="Tasks">None: all that match the filter.</param>
internal sealed record Requeue(IReadOnlyList<int> Tasks, TaskFilter Filter) : Step
{
    public override string ToString() => $"Requeue on {Replica} {Filter}: {string.Join(", ", Tasks)}";
}

internal sealed record Delete(int Task) : Step;

/// <param name="Status">Its word; empty: all.</param>
internal sealed record Look(string Status, TaskFilter Filter, int PageSize) : Step;
