using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>Everything that can be done to a task, in every status of its life.</summary>
public sealed class TaskLifeTests
{
    /// <summary>
    /// A cell is the status that follows, or "deleted", or how the task stays as it is: "replay", or the refusal's
    /// code. "latest" and "stale" name the token of the task's latest delivery and of the one before, "unnamed" names none.
    /// </summary>
    private const string Life = """
        operation       pending            inflight           completed          failed             cancelled
        schedule        replay             replay             replay             replay             replay
        deliver         inflight           replay             replay             replay             replay
        ack-latest      LeaseLost          completed          replay             LeaseLost          TaskCancelled
        ack-unnamed     InvalidTransition  completed          replay             InvalidTransition  TaskCancelled
        ack-stale       LeaseLost          LeaseLost          LeaseLost          LeaseLost          LeaseLost
        nack-latest     LeaseLost          pending            InvalidTransition  replay             TaskCancelled
        nack-unnamed    InvalidTransition  pending            InvalidTransition  InvalidTransition  TaskCancelled
        nack-stale      LeaseLost          LeaseLost          LeaseLost          LeaseLost          LeaseLost
        extend-latest   LeaseLost          inflight           LeaseLost          LeaseLost          TaskCancelled
        extend-stale    LeaseLost          LeaseLost          LeaseLost          LeaseLost          LeaseLost
        release-latest  replay             pending            replay             replay             replay
        release-stale   replay             replay             replay             replay             replay
        expire          replay             pending            replay             replay             replay
        cancel          cancelled          cancelled          InvalidTransition  InvalidTransition  replay
        requeue         InvalidTransition  InvalidTransition  InvalidTransition  pending            InvalidTransition
        delete          InvalidTransition  InvalidTransition  InvalidTransition  deleted            InvalidTransition
        """;

    private static readonly DateTimeOffset MuchLater = Samples.Now.AddYears(1);

    private static readonly Dictionary<string, MeasurementTask> Tasks = new()
    {
        ["pending"] = Lives.Returned,
        ["inflight"] = Lives.Inflight,
        ["completed"] = Lives.Completed,
        ["failed"] = Lives.Failed,
        ["cancelled"] = Lives.Cancelled,
    };

    private static readonly Dictionary<string, Func<MeasurementTask, Answer<Decision<MeasurementTask>>>> Operations = new()
    {
        ["schedule"] = task => MeasurementTask.Schedule(task, Samples.Task),
        ["deliver"] = task => task.Deliver(Lives.Token + 1, MuchLater + Delivery.Lease, MuchLater),
        ["ack-latest"] = task => task.Acknowledge(Lives.Token, MuchLater),
        ["ack-unnamed"] = task => task.Acknowledge(MeasurementTask.AnyLease, MuchLater),
        ["ack-stale"] = task => task.Acknowledge(Lives.Token - 1, MuchLater),
        ["nack-latest"] = task => task.Nack(Lives.Token),
        ["nack-unnamed"] = task => task.Nack(MeasurementTask.AnyLease),
        ["nack-stale"] = task => task.Nack(Lives.Token - 1),
        ["extend-latest"] = task => task.ExtendLease(Lives.Token, MuchLater),
        ["extend-stale"] = task => task.ExtendLease(Lives.Token - 1, MuchLater),
        ["release-latest"] = task => task.Release(Lives.Token, MuchLater),
        ["release-stale"] = task => task.Release(Lives.Token - 1, MuchLater),
        ["expire"] = task => task.ExpireLease(MuchLater),
        ["cancel"] = task => task.Cancel("obsolete", MuchLater),
        ["requeue"] = task => task.Requeue(MuchLater),
        ["delete"] = task => task.Delete(),
    };

    public static TheoryData<string, string, string> Cells
    {
        get
        {
            var rows = Life.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
            var cells = new TheoryData<string, string, string>();
            foreach (var row in rows[1..])
            {
                foreach (var (status, outcome) in rows[0][1..].Zip(row[1..]))
                {
                    cells.Add(status, row[0], outcome);
                }
            }

            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_task_takes_just_the_steps_of_the_table(string status, string operation, string outcome) =>
        Outcome(Operations[operation](Tasks[status])).Should().Be(outcome);

    [Theory]
    [MemberData(nameof(Cells))]
    public void Each_step_but_the_routine_ones_is_told_and_nothing_else_is(string status, string operation, string outcome)
    {
        var task = Tasks[status];
        var answer = Operations[operation](task);

        if (answer.IsRefused)
        {
            answer.Refusal.Sentence.Should().Contain("'task-1'");
        }
        else if (outcome == "replay")
        {
            answer.Value.ShouldBeReplayOf(task);
        }
        else
        {
            var isRoutine = operation is "deliver" or "extend-latest";
            answer.Value.Events.Any().Should().Be(!isRoutine);
            answer.Value.Events.Select(told => told.MetadataOf("task_id")).Should().AllBe("task-1");
        }
    }

    [Fact]
    public void The_table_is_whole()
    {
        Cells.Should().HaveCount(Operations.Count * MeasurementTaskStatusWords.All.Count);
        Tasks.Should().OnlyContain(entry => entry.Value.Status.Word() == entry.Key);
    }

    private static string Outcome(Answer<Decision<MeasurementTask>> answer) =>
        answer.IsRefused ? answer.Refusal.Code.ToString()
        : answer.Value.IsReplay ? "replay"
        : answer.Value.Deletes ? "deleted"
        : answer.Value.Next.Status.Word();
}
