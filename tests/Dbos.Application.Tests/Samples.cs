using Dbos.Domain.Agents;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests;

/// <summary>One good value of each kind that requests are made of; a test says with <c>with</c> what matters to it.</summary>
internal static class Samples
{
    public const long Second = 1_700_000_000;

    public static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(Second);

    public static PageRequest WholeList { get; } = new(0, string.Empty);

    public static Heartbeat Heartbeat { get; } = new(
        "agent-1", "host-1", Alive: true, Second, Second, ConfigValues.Of(new Dictionary<string, string> { ["interval"] = "5" }), TotalHeartbeats: 1);

    public static Agent Agent { get; } = Agent.Hear(null, Heartbeat, Now, SubstitutedDbos.Policy.AgentTimeout).Next;

    public static StateReport Report { get; } = new(
        "agent-1",
        "ping",
        "running",
        ErrorMessage: string.Empty,
        new Dictionary<string, string> { ["target"] = "192.0.2.1", ["probes"] = "3" },
        Second,
        "request-1",
        Version: 0);

    public static ModuleState State { get; } = new(
        "agent-1", "ping", RunState.Running, string.Empty, Report.Details, Second, "request-1", Version: 1);

    public static MeasurementResult Result { get; } = new(
        "request-1",
        "agent-1",
        "unknown",
        new byte[] { 1, 2, 3 },
        Second,
        ReceivedAt: 0,
        AgentStartTime: 0,
        AgentRuntimeVersion: string.Empty,
        ModuleRevision: string.Empty,
        DbosServerId: string.Empty,
        IngestSource: string.Empty);

    public static NewTask NewTask { get; } = new(
        "task-1",
        "agent-1",
        "ping",
        new byte[] { 1, 2, 3 },
        ScheduledAt: 0,
        CreatedAt: 0,
        Status: string.Empty,
        VisibilityTime: 0,
        RetryCount: 0,
        MaxRetries: 0);

    public static MeasurementTask Inflight { get; } = new(
        "task-1",
        "agent-1",
        "ping",
        new byte[] { 1, 2, 3 },
        Second,
        Second,
        MeasurementTaskStatus.Inflight,
        VisibleAt: Now.AddMinutes(5),
        new RetryPolicy(MaxRetries: 3, MaxExpiries: 10),
        LeaseToken: 1)
    {
        Deliveries = 1,
    };

    public static MeasurementTask Dead { get; } = Inflight with
    {
        Status = MeasurementTaskStatus.Failed, Failures = 4, LastError = "no route", DeadLetterReason = "max_retries", EndedAt = Now,
    };

    public static string? MetadataOf(this AuditEvent told, string name) =>
        told.Metadata.SingleOrDefault(entry => entry.Name == name).Value;
}
