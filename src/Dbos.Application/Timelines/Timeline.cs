using Dbos.Application.Events;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.Timelines;

/// <summary>All that is known of one request. What no event tells any more is told by the records.</summary>
public sealed class Timeline
{
    private readonly string requestId;
    private readonly LoggedEvent[] events;

    /// <param name="states">Of its agents, latest accepted first.</param>
    public Timeline(
        string requestId,
        IEnumerable<LoggedEvent> events,
        MeasurementTask? task,
        IReadOnlyList<ModuleState> states,
        IEnumerable<ResultSummary> results)
    {
        this.requestId = requestId;
        this.events = [.. events.OrderBy(told => told.Id.Order)];
        (Task, States) = (task, states);
        var told = this.events.Where(told => told.Type == EventTypes.ResultStored).Select(told => new StoredResult(
            told[Names.AgentId], told[Names.ModuleName], told.Number("bytes"), told.At, TimelineSource.Event)).ToArray();
        var toldAgents = told.Select(result => result.AgentId).ToHashSet();
        Results =
        [
            .. told.Concat(results.Where(result => !toldAgents.Contains(result.AgentId)).Select(result => new StoredResult(
                    result.AgentId, result.ModuleName, result.Bytes, DateTimeOffset.FromUnixTimeSeconds(result.ReceivedAt), TimelineSource.Result)))
                .OrderBy(result => result.StoredAt),
        ];
        Entries =
        [
            .. this.events.Select(EntryOf)
                .Concat(task is null ? [] : OfRecord(task))
                .Concat(states.SelectMany(OfRecord))
                .Concat(Results.Where(result => result.Source == TimelineSource.Result).Select(OfRecord))
                .OrderBy(entry => entry.At).ThenBy(entry => entry.Event?.Id.Order),
        ];
    }

    public MeasurementTask? Task { get; }

    /// <summary>Latest accepted first.</summary>
    public IReadOnlyList<ModuleState> States { get; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<StoredResult> Results { get; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<TimelineEntry> Entries { get; }

    /// <summary>Older events were not looked at, or are too many; null: all that are kept are here.</summary>
    public DateTimeOffset? SearchedBackTo { get; init; }

    /// <summary>False: at most refused calls have named it.</summary>
    public bool IsKnown => Task is not null || States.Count > 0 || Results.Count > 0 || events.Any(told => told[Refusals.CodeName].Length == 0);

    private TimelineEntry EntryOf(LoggedEvent told)
    {
        var isDelivery = told.Deliveries.TryGetValue(requestId, out var delivery);
        return new TimelineEntry(told.At, told.Type, TimelineSource.Event, isDelivery ? $"task {requestId} delivered" : told.Message)
        {
            AgentId = isDelivery ? Task?.AgentId ?? string.Empty : told[Names.AgentId],
            ModuleName = isDelivery ? Task?.ModuleName ?? string.Empty : told[Names.ModuleName],
            LeaseToken = isDelivery ? delivery : told.Number("lease_token"),
            State = told.Type == EventTypes.ModuleStateUpdated ? told["state"] : string.Empty,
            Version = told.Number("version"),
            Event = told,
        };
    }

    private IEnumerable<TimelineEntry> OfRecord(MeasurementTask task)
    {
        if (!Tells(EventTypes.TaskScheduled))
        {
            yield return Of(DateTimeOffset.FromUnixTimeSeconds(task.CreatedAt), EventTypes.TaskScheduled, "scheduled", leaseToken: 0);
        }

        foreach (var failure in task.History)
        {
            var kind = failure.Kind == TaskFailure.Nack ? EventTypes.TaskNacked : EventTypes.TaskLeaseExpired;
            if (!Tells(kind, told => told.Number("lease_token") == failure.LeaseToken))
            {
                yield return Of(DateTimeOffset.FromUnixTimeSeconds(failure.FailedAt), kind, failure.Error, failure.LeaseToken);
            }
        }

        var end = task.Status switch
        {
            MeasurementTaskStatus.Completed => EventTypes.TaskAcknowledged,
            MeasurementTaskStatus.Failed => EventTypes.TaskDeadLettered,
            _ => EventTypes.TaskCancelled,
        };
        if (task.EndedAt is { } ended && !Tells(end))
        {
            yield return Of(ended, end, task.Status.Word(), task.LeaseToken);
        }

        TimelineEntry Of(DateTimeOffset at, string kind, string what, long leaseToken) =>
            new(at, kind, TimelineSource.Task, $"task {task.Id} {what}") { AgentId = task.AgentId, ModuleName = task.ModuleName, LeaseToken = leaseToken };
    }

    private IEnumerable<TimelineEntry> OfRecord(ModuleState state)
    {
        if (!Tells(EventTypes.ModuleStateUpdated, told => told.Number("version") == state.Version && told[Names.AgentId] == state.AgentId))
        {
            yield return new TimelineEntry(
                DateTimeOffset.FromUnixTimeSeconds(state.Timestamp), EventTypes.ModuleStateUpdated, TimelineSource.ModuleState, $"request '{requestId}' of agent '{state.AgentId}' is {state.State.Word()}")
            {
                AgentId = state.AgentId,
                ModuleName = state.ModuleName,
                State = state.State.Word(),
                Version = state.Version,
            };
        }
    }

    private TimelineEntry OfRecord(StoredResult result) =>
        new(result.StoredAt, EventTypes.ResultStored, TimelineSource.Result, $"result {requestId} of agent {result.AgentId} stored")
        {
            AgentId = result.AgentId,
            ModuleName = result.ModuleName,
        };

    private bool Tells(string type, Func<LoggedEvent, bool>? which = null) =>
        events.Any(told => told.Type == type && (which is null || which(told)));
}

/// <summary>One thing that happened.</summary>
/// <param name="Kind">A type of event, also where a record tells of it.</param>
public sealed record TimelineEntry(DateTimeOffset At, string Kind, TimelineSource Source, string Message)
{
    public string AgentId { get; init; } = string.Empty;

    public string ModuleName { get; init; } = string.Empty;

    /// <summary>Of a task's delivery; 0: it is about none.</summary>
    public long LeaseToken { get; init; }

    /// <summary>That the request entered; empty: none.</summary>
    public string State { get; init; } = string.Empty;

    /// <summary>Of that state.</summary>
    public long Version { get; init; }

    public LoggedEvent? Event { get; init; }
}

/// <summary>What tells of it. Records know seconds, events milliseconds.</summary>
public enum TimelineSource
{
    Event = 1,
    Task,
    ModuleState,
    Result,
}

public sealed record StoredResult(string AgentId, string ModuleName, long Bytes, DateTimeOffset StoredAt, TimelineSource Source);
