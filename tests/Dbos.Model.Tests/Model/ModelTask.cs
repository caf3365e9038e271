using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;

namespace Dbos.Model.Tests.Model;

/// <summary>What the contract says is known of a task.</summary>
internal sealed class ModelTask
{
    public required string Id { get; init; }

    public required string Agent { get; init; }

    public required string Module { get; init; }

    public required int Priority { get; init; }

    public required RetryPolicy Retry { get; init; }

    /// <summary>When it was to run, in whole seconds; null: at once, and the store has not told yet when that was.</summary>
    public required DateTimeOffset? Scheduled { get; set; }

    public required Span Visible { get; set; }

    public MeasurementTaskStatus Status { get; set; }

    public long Token { get; set; }

    public int Deliveries { get; set; }

    public int Failures { get; set; }

    public int Expiries { get; set; }

    public string LastError { get; set; } = string.Empty;

    public string DeadLetterReason { get; set; } = string.Empty;

    public Span? Ended { get; set; }

    /// <summary>The token and the kind of each failure.</summary>
    public List<string> History { get; } = [];

    /// <summary>When it is visible that returns now and has its place in the queue again.</summary>
    public Span DueBy(Span now) => Scheduled is { } at
        ? new Span(at < now.From ? at : now.From, at < now.To ? at : now.To)
        : throw new InvalidOperationException($"{Id} was not told yet");

    public bool Matches(TaskFilter filter) =>
        (filter.AgentId == string.Empty || filter.AgentId == Agent) && (filter.ModuleName == string.Empty || filter.ModuleName == Module);

    /// <summary>In one line, for comparison with <see cref="Describe"/> of what is stored.</summary>
    public string Describe() =>
        $"{Id} of '{Agent}' '{Module}' priority {Priority}: {Status} token {Token} of {Deliveries} failures {Failures} "
        + $"expiries {Expiries} error '{LastError}' dead '{DeadLetterReason}' ended {Ended is not null} history [{string.Join(", ", History)}]";

    public static string Describe(MeasurementTask stored) =>
        $"{stored.Id} of '{stored.AgentId}' '{stored.ModuleName}' priority {stored.Priority}: {stored.Status} "
        + $"token {stored.LeaseToken} of {stored.Deliveries} failures {stored.Failures} expiries {stored.Expiries} error '{stored.LastError}' "
        + $"dead '{stored.DeadLetterReason}' ended {stored.EndedAt is not null} "
        + $"history [{string.Join(", ", stored.History.Select(failure => HistoryOf(failure.LeaseToken, failure.Kind)))}]";

    public static string HistoryOf(long token, string kind) => $"{token} {kind}";
}
