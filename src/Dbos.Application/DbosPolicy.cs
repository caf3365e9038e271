using Dbos.Domain.Tasks;

namespace Dbos.Application;

/// <summary>What an operator may decide about the service's behaviour, wherever it stores.</summary>
public sealed record DbosPolicy
{
    /// <summary>Written into results as dbos_server_id.</summary>
    public required string ServerId { get; init; }

    /// <summary>An agent not heard of for this long is lost.</summary>
    public TimeSpan AgentTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a task is leased when its taker does not say.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a task is retried when its scheduler does not say.</summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>How often a task's lease may expire when its scheduler does not say.</summary>
    public int MaxExpiries { get; init; } = 10;

    /// <summary>How long a failed task rests when its holder does not say.</summary>
    public Backoff RetryBackoff { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(300));

    /// <summary>How long a completed or cancelled task stays readable.</summary>
    public TimeSpan CompletedTaskRetention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The most bytes of a result's data or a task's payload.</summary>
    public int MaxResultBytes { get; init; } = 4 * 1024 * 1024;

    /// <param name="seconds">As a taker says it; 0: it does not.</param>
    public TimeSpan LeaseOf(long seconds) => seconds > 0 ? TimeSpan.FromSeconds(seconds) : LeaseDuration;
}
