using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;

namespace Dbos.Model.Tests.Model;

/// <summary>Whose turn it is.</summary>
internal sealed partial class QueueModel
{
    /// <summary>Pending and due at the instant, in Unix milliseconds: as they are to be taken.</summary>
    public IReadOnlyList<ModelTask> DueBy(long upTo, TaskFilter filter) =>
    [
        .. from task in Tasks
           where task.Status == MeasurementTaskStatus.Pending && task.Matches(filter) && task.Visible.Milliseconds <= upTo
           orderby task.Priority descending, TurnOf(task, filter), task.Visible.Milliseconds
           select task,
    ];

    /// <summary>
    /// What is wrong with a choice of tasks that are due. Among those whose turn comes in one millisecond, any may go;
    /// and an agent that has work for several modules, or in several partitions, has as many lanes: a taker that wants
    /// few tasks does not look at all of them, so that only within each lane the order is exact.
    /// </summary>
    /// <param name="due">As they are to be taken.</param>
    /// <returns>Null: nothing.</returns>
    public string? WhyWrong(IReadOnlyList<ModelTask> due, IReadOnlyCollection<ModelTask> taken, TaskFilter filter)
    {
        var lanes = due.Select(LaneOf).Concat(Turns.All.Select(turn => turn.Lane)).Select(lane => lane with { Priority = 0 }).Distinct();
        var hasOneLaneEach = lanes.GroupBy(lane => lane.Agent).All(agent => agent.Count() == 1);
        (int, long) RankOf(ModelTask task) => (-task.Priority, hasOneLaneEach ? TurnOf(task, filter) : 0);

        if (!due.Take(taken.Count).Select(RankOf).SequenceEqual(due.Where(taken.Contains).Select(RankOf)))
        {
            return $"it was the turn of {Told(due.Take(taken.Count), filter)}, not of {Told(taken, filter)}";
        }

        var passedOver =
            from task in due.Except(taken)
            from younger in taken
            where LaneOf(younger) == LaneOf(task) && younger.Visible.Milliseconds > task.Visible.Milliseconds
            select $"{task.Id} is older than {younger.Id}, and of the same lane";
        return passedOver.FirstOrDefault();
    }

    /// <summary>The order in which what is taken together is told.</summary>
    public static IEnumerable<ModelTask> AsTold(IEnumerable<ModelTask> taken) =>
        taken.OrderByDescending(task => task.Priority).ThenBy(task => task.Visible.Milliseconds);

    public void Take(IReadOnlyList<ModelTask> taken, TimeSpan lease, Span now)
    {
        foreach (var task in taken)
        {
            task.Status = MeasurementTaskStatus.Inflight;
            task.Version++;
            task.Token++;
            task.Visible = now + lease;
            Turns.Serve(LaneOf(task), now);
        }

        if (taken.Count > 0)
        {
            Count("delivered", taken.Count);
        }
    }

    /// <summary>An agent that was just taken from counts as due since then.</summary>
    private long TurnOf(ModelTask task, TaskFilter filter)
    {
        var served =
            from turn in Turns.All
            where turn.Lane.Agent == task.Agent && (filter.ModuleName.Length == 0 || filter.ModuleName == turn.Lane.Module)
            select turn.At.Milliseconds;
        return served.Append(task.Visible.Milliseconds).Max();
    }

    private string Told(IEnumerable<ModelTask> some, TaskFilter filter) =>
        string.Join(", ", some.Select(task => $"{task.Id} ({task.Priority}, {TurnOf(task, filter)})"));
}
