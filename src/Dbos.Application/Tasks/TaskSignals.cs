using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>
/// Where takers wait in line, so that none has to ask again and again: the store tells here what has become due and
/// which deliveries have ended. One taker of a line is called at a time; whoever took something calls the next.
/// </summary>
public sealed partial class TaskSignals
{
    private readonly Lock gate = new();
    private readonly Dictionary<TaskFilter, Line> lines = [];
    private readonly Dictionary<TaskDelivery, Seat> holders = [];

    private readonly EarlyEnds early = new();

    /// <summary>How many ends are kept that were told before their taker, if there is one, knew of the delivery.</summary>
    public int EarlyEndsKept
    {
        get
        {
            lock (gate)
            {
                return early.Count;
            }
        }
    }

    /// <summary>A taker waits for something to be due.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (gate)
            {
                return lines.Values.Any(line => line.Waiting.Count > 0);
            }
        }
    }

    /// <summary>Each filter for which there are takers.</summary>
    public IReadOnlyList<TaskFilter> Filters
    {
        get
        {
            lock (gate)
            {
                return [.. lines.Keys];
            }
        }
    }

    /// <summary>Takers that hold as many deliveries as they may, and wait for one of them to end.</summary>
    public IReadOnlyList<Seat> Full
    {
        get
        {
            lock (gate)
            {
                return [.. lines.Values.SelectMany(line => line.Seats).Where(seat => seat.IsFull)];
            }
        }
    }

    /// <summary>A taker's place in the line of its filter, until it is disposed.</summary>
    public Seat Sit(TaskFilter filter)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(filter, out var line))
            {
                lines.Add(filter, line = new Line(filter));
            }

            var seat = new Seat(this, line);
            line.Seats.Add(seat);
            return seat;
        }
    }

    /// <summary>A task of this agent's module is due.</summary>
    public void Due(string agentId, string moduleName)
    {
        lock (gate)
        {
            foreach (var filter in (HashSet<TaskFilter>)
                [new(agentId, moduleName), new(agentId, string.Empty), new(string.Empty, moduleName), TaskFilter.Any])
            {
                lines.GetValueOrDefault(filter)?.CallNext();
            }
        }
    }

    /// <summary>A task that passes this filter may be due.</summary>
    public void MayBeDue(TaskFilter filter)
    {
        lock (gate)
        {
            lines.GetValueOrDefault(filter)?.CallNext();
        }
    }

    /// <summary>A task of anybody may be due.</summary>
    public void AnyDue()
    {
        lock (gate)
        {
            foreach (var line in lines.Values)
            {
                line.CallNext();
            }
        }
    }

    /// <summary>A delivery to one of this process's takers has ended. May be told late, and more than once.</summary>
    public void Ended(TaskDelivery delivery)
    {
        lock (gate)
        {
            if (holders.Remove(delivery, out var seat))
            {
                seat.LetGo(delivery);
            }
            else
            {
                early.Add(delivery);
            }
        }
    }

    /// <summary>A store that lost its latest seconds may deliver under the same number again: what another taker holds by now stays its own.</summary>
    private void Forget(TaskDelivery delivery, Seat holder)
    {
        if (holders.GetValueOrDefault(delivery) == holder)
        {
            holders.Remove(delivery);
        }
    }

    internal sealed class Line(TaskFilter filter)
    {
        public TaskFilter Filter => filter;

        public HashSet<Seat> Seats { get; } = [];

        public LinkedList<Seat> Waiting { get; } = [];

        /// <summary>Nobody waited when there was a call: whoever waits next looks again at once.</summary>
        public bool IsCalledInVain { get; set; }

        public void CallNext()
        {
            if (Waiting.First is { } first)
            {
                Waiting.RemoveFirst();
                first.Value.Call();
            }
            else
            {
                IsCalledInVain = true;
            }
        }
    }
}
