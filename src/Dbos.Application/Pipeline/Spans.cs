using System.Diagnostics;
using Dbos.Domain;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Pipeline;

/// <summary>What traces tell of DBOS's own work: names, ids and what came of it, never a payload.</summary>
public static class Spans
{
    public const string SourceName = "Dbos";

    private const string TraceId = "dbos.trace_id";

    public static readonly ActivitySource Source = new(SourceName);

    /// <summary>Somebody listens and, where a trace is going on, keeps it.</summary>
    public static bool AreWanted => Source.HasListeners() && Activity.Current is not { IsAllDataRequested: false };

    /// <summary>A span around the work, which tells if it failed; none where nobody listens.</summary>
    public static async Task<T> Around<T>(string name, Func<Activity?, Task<T>> work)
    {
        using var span = Source.StartActivity(name);
        try
        {
            return await work(span);
        }
        catch (Exception error)
        {
            if (span is not null)
            {
                span.Fail(error.GetType().FullName!);
                error.Data[TraceId] ??= span.TraceId.ToHexString();
            }

            throw;
        }
    }

    /// <summary>Of the span that it failed, which has ended by the time that somebody tells of it; empty: there was none.</summary>
    public static string TraceOf(Exception error) => error.Data[TraceId] as string ?? string.Empty;

    /// <summary>Whom it is about, as told in event metadata.</summary>
    public static void TellSubject(this Activity span, (string Name, string Value)[] subject)
    {
        foreach (var (name, value) in subject.Where(told => told.Value.Length > 0))
        {
            span.SetTag($"dbos.{name}", value.CutShort(Rules.LongestId));
        }
    }

    /// <summary>The current span, if somebody keeps it, leads to the traces that scheduled these tasks.</summary>
    public static void LinkToScheduling(IEnumerable<MeasurementTask> tasks)
    {
        if (Activity.Current is not { IsAllDataRequested: true } span)
        {
            return;
        }

        foreach (var task in tasks)
        {
            if (ActivityContext.TryParse(task.TraceParent, null, isRemote: true, out var scheduling))
            {
                span.AddLink(new ActivityLink(scheduling, new ActivityTagsCollection { ["dbos.task_id"] = task.Id }));
            }
        }
    }

    /// <summary>No message of the error: it may quote what it is about.</summary>
    public static void Fail(this Activity span, string errorType)
    {
        span.SetStatus(ActivityStatusCode.Error);
        span.SetTag("error.type", errorType);
    }
}
