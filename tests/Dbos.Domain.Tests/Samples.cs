using Dbos.Domain.Agents;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests;

/// <summary>One plain value of each kind; a test says with <c>with</c> what matters to it.</summary>
internal static class Samples
{
    public const long Second = 1_700_000_000;

    public static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(Second);

    public static ReportedState Report { get; } = new(
        "agent-1",
        "ping",
        RunState.Running,
        ErrorMessage: string.Empty,
        new Dictionary<string, string> { ["target"] = "192.0.2.1", ["probes"] = "3" },
        Second,
        "request-1",
        ExpectedVersions.Any);

    public static ModuleState Stored { get; } = new(
        "agent-1", "ping", RunState.Running, ErrorMessage: string.Empty, Report.Details, Second, "request-1", Version: 1);

    public static Heartbeat Heartbeat { get; } = new(
        "agent-1",
        "host-1",
        Alive: true,
        LastSeen: Second,
        FirstSeen: Second - 1_000,
        Config(("interval", "5"), ("region", "north")),
        TotalHeartbeats: 10);

    /// <summary>A digest that is as good as a real one where texts are short.</summary>
    public static ConfigValue Value(string text) => new(text.Aggregate(UInt128.One, (digest, c) => (digest * 65_537) + c), text);

    public static Dictionary<string, ConfigValue> Config(params (string Key, string Text)[] entries) =>
        entries.ToDictionary(entry => entry.Key, entry => Value(entry.Text));

    public static MeasurementTask Task { get; } = new(
        "task-1",
        "agent-1",
        "ping",
        new byte[] { 1, 2, 3 },
        ScheduledAt: Second,
        CreatedAt: Second,
        MeasurementTaskStatus.Pending,
        VisibleAt: Now,
        new RetryPolicy(MaxRetries: 3, MaxExpiries: 5),
        LeaseToken: 0);

    public static MeasurementResult Result { get; } = new(
        "request-1",
        "agent-1",
        "unknown",
        new byte[] { 1, 2, 3 },
        Timestamp: Second,
        ReceivedAt: Second + 1,
        AgentStartTime: Second - 1_000,
        AgentRuntimeVersion: "1.2",
        ModuleRevision: "abc",
        DbosServerId: "dbos-1",
        IngestSource: "grpc");

    public static string? MetadataOf(this AuditEvent told, string name) =>
        told.Metadata.SingleOrDefault(entry => entry.Name == name).Value;
}
