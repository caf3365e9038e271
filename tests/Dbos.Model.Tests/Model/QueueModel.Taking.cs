using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;

namespace Dbos.Model.Tests.Model;

/// <summary>Who gets what next, as task_places.lua says.</summary>
internal sealed partial class QueueModel
{
    /// <summary>By partition, how many deliveries there were.</summary>
    private readonly Dictionary<int, long> deliveries = [];

    /// <summary>Pending and due at the instant, in Unix milliseconds.</summary>
    public IReadOnlyList<ModelTask> DueBy(long upTo, TaskFilter filter) =>
    [
        .. Tasks.Where(task => task.Status == MeasurementTaskStatus.Pending && task.Matches(filter) && task.Visible.Milliseconds <= upTo),
    ];

    /// <summary>
    /// A taker takes from one partition after the other. Within one: the highest priority first; within it agents take turns, each
    /// with its share of what is wanted, and once more while there is something left; within an agent the longest due first.
    /// </summary>
    /// <param name="due">In all partitions.</param>
    /// <param name="taken">Ids as the store chose: where turns or tasks are equal, its order stands.</param>
    public IEnumerable<ModelTask> Choice(IReadOnlyList<ModelTask> due, int limit, IReadOnlyList<string> taken)
    {
        var choice = new List<ModelTask>();
        foreach (var partition in taken.Select(partitionOf).Distinct())
        {
            foreach (var band in due.Where(task => PartitionOf(task) == partition).GroupBy(task => task.Priority).OrderByDescending(band => band.Key))
            {
                choice.AddRange(ByTurns([.. band], limit - choice.Count, taken));
            }
        }

        return choice;
    }

    /// <summary>The order in which agents take turns is known: the list that the filter takes from says it exactly.</summary>
    public bool KnowsTurns(IEnumerable<ModelTask> due, TaskFilter filter) =>
        filter.AgentId.Length > 0 || filter.ModuleName.Length == 0 || due.All(task => Turns.HasOneModule(AgentOf(task)));

    /// <summary>What holds whatever the order of turns is: within an agent's queue nothing is passed over.</summary>
    public string? WhyPassedOver(IReadOnlyList<ModelTask> due, IReadOnlyCollection<ModelTask> taken)
    {
        var passedOver =
            from task in due.Except(taken)
            from younger in taken
            where (AgentOf(younger), younger.Module) == (AgentOf(task), task.Module) && younger.Visible.Milliseconds > task.Visible.Milliseconds
            select $"{task.Id} is due for longer than {younger.Id}, and of the same queue";
        return passedOver.FirstOrDefault();
    }

    /// <param name="now">Of the take, by the store's clock.</param>
    public void Take(IEnumerable<ModelTask> taken, TimeSpan lease, DateTimeOffset now)
    {
        foreach (var task in taken)
        {
            var partition = PartitionOf(task);
            task.Status = MeasurementTaskStatus.Inflight;
            task.Token = deliveries[partition] = deliveries.GetValueOrDefault(partition) + 1;
            task.Deliveries++;
            task.Visible = Span.At(now + lease);
            latestTokens[task.Id] = task.Token;
            Turns.Serve(AgentOf(task), now);
            Count("delivered");
        }
    }

    private AgentBand AgentOf(ModelTask task) => new(PartitionOf(task), task.Priority, task.Agent);

    /// <param name="due">Of one partition and priority.</param>
    private List<ModelTask> ByTurns(IReadOnlyList<ModelTask> due, int limit, IReadOnlyList<string> taken)
    {
        var round = due.GroupBy(AgentOf)
            .Select(own => (
                Turn: Turns.TurnOf(own.Key, own.Min(task => task.Visible.Milliseconds)),
                Place: own.Min(taken.PlaceOf),
                Tasks: new Queue<ModelTask>(own.OrderBy(task => task.Visible.Milliseconds).ThenBy(taken.PlaceOf))))
            .OrderBy(agent => agent.Turn)
            .ThenBy(agent => agent.Place)
            .Take(limit)
            .Select(agent => agent.Tasks)
            .ToList();
        var chosen = new List<ModelTask>();
        while (round.Count > 0 && chosen.Count < limit)
        {
            var next = new List<Queue<ModelTask>>();
            for (var i = 0; i < round.Count; i++)
            {
                var share = (limit - chosen.Count + round.Count - i - 1) / (round.Count - i);
                var got = Math.Min(share, round[i].Count);
                chosen.AddRange(Enumerable.Range(0, got).Select(_ => round[i].Dequeue()).ToList());
                if (got == share)
                {
                    next.Add(round[i]);
                }
            }

            round = next;
        }

        return chosen;
    }
}
