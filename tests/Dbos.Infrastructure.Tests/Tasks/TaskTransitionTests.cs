using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>
/// One table of all transitions, run against the aggregate and against the store: the two must not differ. Tokens: mine is
/// that of the latest delivery of the task, another was never given, any is none at all.
/// </summary>
public abstract class TaskTransitionTests(IEngine engine) : TaskTests(engine)
{
    private const long Other = 1_000_000;
    private const int DueLongAgo = 1_500_000_000;
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1);

    /// <summary>State, operation, token, outcome: the next state, "same", "gone", or the code of a refusal. giveback is a release by the holder.</summary>
    private const string Table =
        """
        pending    deliver  -        inflight
        later      deliver  -        same
        returned   deliver  -        inflight
        inflight   deliver  -        same
        completed  deliver  -        same
        failed     deliver  -        same
        cancelled  deliver  -        same
        pending    ack      any      InvalidTransition
        pending    ack      other    LeaseLost
        inflight   ack      mine     completed
        inflight   ack      any      completed
        inflight   ack      other    LeaseLost
        expired    ack      mine     completed
        returned   ack      mine     LeaseLost
        returned   ack      any      InvalidTransition
        completed  ack      mine     same
        completed  ack      any      same
        completed  ack      other    LeaseLost
        failed     ack      mine     LeaseLost
        failed     ack      any      InvalidTransition
        cancelled  ack      mine     TaskCancelled
        cancelled  ack      any      TaskCancelled
        cancelled  ack      other    LeaseLost
        pending    nack     any      InvalidTransition
        pending    nack     other    LeaseLost
        inflight   nack     mine     pending
        inflight   nack     any      pending
        inflight   nack     other    LeaseLost
        exhausted  nack     mine     failed
        returned   nack     mine     same
        returned   nack     any      InvalidTransition
        returned   nack     other    LeaseLost
        completed  nack     mine     InvalidTransition
        completed  nack     other    LeaseLost
        failed     nack     mine     same
        failed     nack     any      InvalidTransition
        cancelled  nack     mine     TaskCancelled
        pending    reject   any      InvalidTransition
        inflight   reject   mine     failed
        inflight   reject   any      failed
        inflight   reject   other    LeaseLost
        exhausted  reject   mine     failed
        returned   reject   mine     same
        failed     reject   mine     same
        completed  reject   mine     InvalidTransition
        cancelled  reject   mine     TaskCancelled
        pending    giveback any      InvalidTransition
        pending    giveback other    LeaseLost
        inflight   giveback mine     pending
        inflight   giveback any      pending
        inflight   giveback other    LeaseLost
        expired    giveback mine     pending
        released   giveback mine     same
        released   giveback any      InvalidTransition
        released   ack      mine     LeaseLost
        released   nack     mine     LeaseLost
        returned   giveback mine     LeaseLost
        completed  giveback mine     InvalidTransition
        failed     giveback mine     LeaseLost
        cancelled  giveback mine     TaskCancelled
        pending    extend   other    LeaseLost
        inflight   extend   mine     inflight
        inflight   extend   other    LeaseLost
        returned   extend   mine     LeaseLost
        completed  extend   mine     LeaseLost
        failed     extend   mine     LeaseLost
        cancelled  extend   mine     TaskCancelled
        inflight   shorten  mine     same
        pending    release  other    same
        inflight   release  mine     pending
        inflight   release  other    same
        returned   release  mine     same
        completed  release  mine     same
        cancelled  release  mine     same
        inflight   expire   -        same
        expired    expire   -        pending
        completed  expire   -        same
        cancelled  expire   -        same
        pending    cancel   -        cancelled
        inflight   cancel   -        cancelled
        returned   cancel   -        cancelled
        completed  cancel   -        InvalidTransition
        failed     cancel   -        InvalidTransition
        cancelled  cancel   -        same
        pending    requeue  -        InvalidTransition
        inflight   requeue  -        InvalidTransition
        completed  requeue  -        InvalidTransition
        failed     requeue  -        pending
        cancelled  requeue  -        InvalidTransition
        pending    delete   -        InvalidTransition
        inflight   delete   -        InvalidTransition
        completed  delete   -        InvalidTransition
        failed     delete   -        gone
        cancelled  delete   -        InvalidTransition
        pending    schedule -        same
        inflight   schedule -        same
        completed  schedule -        same
        failed     schedule -        same
        cancelled  schedule -        same
        """;

    public static TheoryData<string, string, string, string> Transitions
    {
        get
        {
            var rows = new TheoryData<string, string, string, string>();
            foreach (var row in Table.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            {
                rows.Add(row[0], row[1], row[2], row[3]);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Transitions))]
    public void The_aggregate_decides_so(string state, string operation, string token, string outcome)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(DueLongAgo + 1_000);
        var task = InState(state, now);

        Outcome(task, Operate(task, operation, TokenOf(task, token), now)).Should().Be(outcome);

        static string Outcome(MeasurementTask before, Answer<Decision<MeasurementTask>> answer) =>
            answer.IsRefused ? answer.Refusal.Code.ToString()
            : answer.Value.IsReplay ? "same"
            : answer.Value.Deletes ? "gone"
            : answer.Value.Next.Status.Word();
    }

    [Theory]
    [MemberData(nameof(Transitions))]
    public async Task The_store_does_so(string state, string operation, string token, string outcome)
    {
        await BringTo(state);
        var before = await Stored();

        var refusal = await Send(operation, TokenOf(before, token));

        var after = await Tasks.Find("t1", None);
        if (refusal is not null || outcome == "same")
        {
            ShouldEqual(after, before, "a refusal or a replay changes nothing");
        }

        (refusal?.Code.ToString() ?? (after is null ? "gone" : outcome == "same" ? "same" : after.Status.Word())).Should().Be(outcome);
    }

    private static long TokenOf(MeasurementTask task, string token) => token switch
    {
        "mine" => task.LeaseToken,
        "other" => Other,
        _ => MeasurementTask.AnyLease,
    };

    private static MeasurementTask NewTask(bool isLater, int maxRetries)
    {
        var due = isLater ? 4_000_000_000 : DueLongAgo;
        return new MeasurementTask(
            "t1",
            "a1",
            "ping",
            "work"u8.ToArray(),
            due,
            DueLongAgo,
            MeasurementTaskStatus.Pending,
            DateTimeOffset.FromUnixTimeSeconds(due),
            new RetryPolicy(maxRetries, MaxExpiries: 3),
            LeaseToken: 0);
    }

    private static MeasurementTask InState(string state, DateTimeOffset now)
    {
        var pending = MeasurementTask.Schedule(null, NewTask(state == "later", state is "failed" or "exhausted" ? 0 : 3)).Next;
        var inflight = pending.Deliver(token: 5, state == "expired" ? now : now + Lease, now).Next;
        return state switch
        {
            "pending" or "later" => pending,
            "returned" or "failed" => inflight.NegativelyAcknowledge(5, [TimeSpan.Zero], "why", now).Value.Next,
            "released" => inflight.Release(5, now).Next,
            "completed" => inflight.Acknowledge(5, now).Value.Next,
            "cancelled" => inflight.Cancel("why", now).Value.Next,
            _ => inflight,
        };
    }

    private static Answer<Decision<MeasurementTask>> Operate(MeasurementTask task, string operation, long token, DateTimeOffset now) => operation switch
    {
        "deliver" => task.Deliver(token: 6, now + Lease, now),
        "ack" => task.Acknowledge(token, now),
        "nack" => task.NegativelyAcknowledge(token, [TimeSpan.Zero], "why", now),
        "reject" => task.NegativelyAcknowledge(token, [TimeSpan.Zero], "why", now, NackKind.DeadLetter),
        "giveback" => task.NegativelyAcknowledge(token, [TimeSpan.Zero], "why", now, NackKind.Release),
        "extend" => task.ExtendLease(token, now + (2 * Lease)),
        "shorten" => task.ExtendLease(token, now + (Lease / 2)),
        "release" => task.Release(token, now),
        "expire" => task.ExpireLease(now),
        "cancel" => task.Cancel("why", now),
        "requeue" => task.Requeue(now),
        "delete" => task.Delete(),
        "schedule" => MeasurementTask.Schedule(task, task),
        _ => throw new ArgumentException(operation, nameof(operation)),
    };

    private async Task BringTo(string state)
    {
        var task = NewTask(state == "later", state is "failed" or "exhausted" ? 0 : 3);
        (await Tasks.Schedule([new Scheduling(task, IsTimeGiven: true, Context)], None))[0].Value.Duplicate.Should().BeFalse();
        if (state is "pending" or "later")
        {
            return;
        }

        var token = (await TakeOne(state == "expired" ? TimeSpan.FromMilliseconds(1) : Lease)).LeaseToken;
        switch (state)
        {
            case "returned" or "failed":
                (await Send("nack", token)).Should().BeNull();
                break;
            case "released":
                (await Send("release", token)).Should().BeNull();
                break;
            case "completed":
                (await Send("ack", token)).Should().BeNull();
                break;
            case "cancelled":
                (await Send("cancel", token)).Should().BeNull();
                break;
            case "expired":
                await Task.Delay(20);
                break;
        }
    }

    private async Task<Refusal?> Send(string operation, long token)
    {
        switch (operation)
        {
            case "deliver":
                await Take(lease: Lease);
                return null;
            case "release":
                await Tasks.Release([new TaskDelivery("t1", token)], Caller, None);
                return null;
            case "expire":
                await Tasks.ExpireLeases(Caller, None);
                return null;
            case "ack":
                return (await Tasks.Acknowledge([new("t1", token, Context)], None))[0].Refusal;
            case "nack":
                return await Nack(NackKind.Retry);
            case "reject":
                return await Nack(NackKind.DeadLetter);
            case "giveback":
                return await Nack(NackKind.Release);
            case "extend" or "shorten":
                return (await Tasks.ExtendLease(new("t1", token, operation == "extend" ? 2 * Lease : Lease / 2, Context), None)).Refusal;
            case "cancel":
                return (await Tasks.Cancel(new("t1", "why", Context), None)).Refusal;
            case "requeue":
                return (await Tasks.Requeue(["t1"], Caller, None))[0].Refusal;
            case "delete":
                return (await Tasks.DeleteDeadLetter("t1", Context, None)).Refusal;
            case "schedule":
                return (await Tasks.Schedule([new(NewTask(isLater: false, maxRetries: 3), IsTimeGiven: true, Context)], None))[0].Refusal;
            default:
                throw new ArgumentException(operation, nameof(operation));
        }

        async Task<Refusal?> Nack(NackKind kind) =>
            (await Tasks.NegativelyAcknowledge(new("t1", token, [TimeSpan.Zero], "why", Context) { Kind = kind }, None)).Refusal;
    }
}

public sealed class TaskTransitionOnSqlite(SqliteEngine engine) : TaskTransitionTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskTransitionOnRedis(RedisEngine engine) : TaskTransitionTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskTransitionOnCluster(ClusterEngine engine) : TaskTransitionTests(engine);
