using Dbos.Application;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Model.Tests.Steps;

namespace Dbos.Model.Tests.Model;

/// <summary>
/// The task queue as the contract tells it, in memory: what each call is answered and what it changes. Instants are
/// told with each call, as the span in which it ran.
/// </summary>
internal sealed partial class QueueModel(DbosPolicy policy, Func<string, int> partitionOf)
{
    private static readonly DateTimeOffset LongAgo = DateTimeOffset.FromUnixTimeSeconds(1_500_000_000);
    private static readonly DateTimeOffset MuchLater = DateTimeOffset.FromUnixTimeSeconds(4_102_444_800);

    private readonly SortedDictionary<string, ModelTask> tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> totals = [];
    private readonly Marks marks = new();

    /// <summary>By id, beyond the life of its task: the id is free again, its tokens are not.</summary>
    private readonly Dictionary<string, long> latestTokens = [];

    public IReadOnlyCollection<ModelTask> Tasks => tasks.Values;

    public IReadOnlyDictionary<string, long> Totals => totals;

    public Turns Turns { get; } = new();

    /// <summary>All that are known exactly.</summary>
    public IEnumerable<DateTimeOffset> Instants =>
        Tasks.Select(task => task.Visible.Instant)
            .Concat(Tasks.Select(task => task.Ended).OfType<Span>().Select(ended => ended.Instant))
            .Concat(Turns.Instants);

    /// <summary>Those that are listed and counted: what ended and is not kept is there until it is purged, but is not counted.</summary>
    public IEnumerable<ModelTask> Counted => Tasks.Where(task => !IsOver(task));

    public ModelTask? Find(string id) => tasks.GetValueOrDefault(id);

    public int PartitionOf(ModelTask task) => partitionOf(task.Id);

    /// <summary>Unix seconds, 0: now.</summary>
    public static long SecondsOf(Due due, int offset) => due switch
    {
        Due.LongAgo => LongAgo.ToUnixTimeSeconds() + offset,
        Due.Later => MuchLater.ToUnixTimeSeconds() + offset,
        _ => 0,
    };

    public static string IdOf(int task) => $"t{task}";

    /// <summary>The token that a holder gives.</summary>
    public long TokenOf(int task, Token token)
    {
        var current = Find(IdOf(task))?.Token ?? latestTokens.GetValueOrDefault(IdOf(task));
        return token switch
        {
            Token.None => MeasurementTask.AnyLease,
            Token.Stale => Math.Max(1, current - 1),
            Token.Future => current + 1,
            _ => current,
        };
    }

    /// <summary>What is known under an id stays as it is; the id of a task that is gone is free.</summary>
    public Reply Schedule(Planned planned, string? key, Span now)
    {
        if (planned.Priority > MeasurementTask.HighestPriority)
        {
            return RefusalCode.Validation;
        }

        var id = IdOf(planned.Task);
        var mark = Named(nameof(Schedule), id, key);
        if (marks.Find(mark, planned) is { } first)
        {
            return first;
        }

        var seconds = SecondsOf(planned.Due, planned.Offset);
        var retry = new RetryPolicy(planned.MaxRetries, planned.MaxExpiries);
        if (Find(id) is { } known)
        {
            var isSame = (known.Agent, known.Module, known.Priority, known.Retry) == (planned.Agent, planned.Module, planned.Priority, retry)
                && (seconds == 0 || known.Scheduled?.ToUnixTimeSeconds() == seconds);
            return Reply.Replay with { ContentDiffers = !isSame };
        }

        var task = new ModelTask
        {
            Id = id,
            Agent = planned.Agent,
            Module = planned.Module,
            Priority = planned.Priority,
            Retry = retry,
            Scheduled = seconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(seconds),
            Visible = seconds == 0 ? now : Span.At(DateTimeOffset.FromUnixTimeSeconds(seconds)),
        };
        tasks.Add(id, task);
        Turns.Enter(AgentOf(task), task.Module);
        marks.Set(mark, planned);
        Count("scheduled");
        return Reply.Done;
    }

    public Reply Cancel(int task, string reason, string? key, Span now) => Write(
        Named(nameof(Cancel), IdOf(task), key),
        reason,
        Find(IdOf(task)),
        found => found.Status switch
        {
            MeasurementTaskStatus.Cancelled => Verdict.Replay,
            MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight => Verdict.Change(() =>
            {
                End(found, MeasurementTaskStatus.Cancelled, now);
                found.LastError = reason;
                Count("cancelled");
            }),
            _ => RefusalCode.InvalidTransition,
        });

    public Reply Delete(int task, string? key) => Write(
        Named(nameof(Delete), IdOf(task), key),
        string.Empty,
        Find(IdOf(task)),
        found => found.Status == MeasurementTaskStatus.Failed
            ? Verdict.Change(() =>
            {
                tasks.Remove(found.Id);
                Count("deleted");
            })
            : RefusalCode.InvalidTransition);

    /// <summary>An id that is named twice is named once.</summary>
    /// <returns>How many went back, and which were no dead letters (any more).</returns>
    public (int Requeued, IReadOnlyList<string> Not) Requeue(IReadOnlyList<int> named, TaskFilter filter, Span now)
    {
        var wanted = named.Count > 0
            ? named.Select(IdOf).Distinct().ToList()
            : Tasks.Where(task => task.Status == MeasurementTaskStatus.Failed && task.Matches(filter)).Select(task => task.Id).ToList();
        var not = new List<string>();
        foreach (var id in wanted)
        {
            if (Find(id) is not { Status: MeasurementTaskStatus.Failed } dead)
            {
                not.Add(id);
                continue;
            }

            dead.Status = MeasurementTaskStatus.Pending;
            dead.Visible = now;
            dead.Failures = 0;
            dead.Expiries = 0;
            dead.DeadLetterReason = string.Empty;
            dead.Ended = null;
            Count("requeued");
        }

        return (wanted.Count - not.Count, not);
    }

    /// <summary>What was completed or cancelled goes, unless it is kept.</summary>
    public int Purge()
    {
        var over = Tasks.Where(IsOver).ToList();
        foreach (var task in over)
        {
            tasks.Remove(task.Id);
            Count("purged");
        }

        return over.Count;
    }

    private bool IsOver(ModelTask task) => policy.CompletedTaskRetention == TimeSpan.Zero
        && task.Status is (MeasurementTaskStatus.Completed or MeasurementTaskStatus.Cancelled);

    private static Mark? Named(string command, string id, string? key) => key is null ? null : new Mark(command, id, key);

    private static void End(ModelTask task, MeasurementTaskStatus status, Span now)
    {
        task.Status = status;
        task.Ended = now;
    }

    private void Count(string name, int times = 1) => totals[name] = totals.GetValueOrDefault(name) + times;

    private Reply Write(Mark? mark, object content, ModelTask? task, Func<ModelTask, Verdict> decide)
    {
        if (marks.Find(mark, content) is { } first)
        {
            return first;
        }

        var verdict = task is null ? RefusalCode.NotFound : decide(task);
        if (verdict.Act is null)
        {
            return verdict.Refused is { } refused ? refused : Reply.Replay;
        }

        verdict.Act();
        marks.Set(mark, content);
        return Reply.Done;
    }

    /// <summary>What becomes of a write: it is refused, changes nothing any more, or acts.</summary>
    private readonly record struct Verdict(RefusalCode? Refused, Action? Act)
    {
        public static readonly Verdict Replay = new(null, null);

        public static Verdict Change(Action act) => new(null, act);

        public static implicit operator Verdict(RefusalCode code) => new(code, null);
    }
}
