using System.Collections.Concurrent;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// Finds the tasks whose turn it is, over all partitions, and takes them. A higher priority goes first; within one the
/// oldest; but an agent's tasks are no older than its last turn, so that its backlog lets others pass.
/// </summary>
/// <param name="now">Unix milliseconds.</param>
internal sealed class TaskTaker(IStore store, EventWriter events, TakeOrder order, long now, Origin origin)
{
    /// <summary>
    /// A lane that was taken from has its turn when that was, by another replica's clock, which may be a little ahead,
    /// or since this taker began to look: what is left in it is due all the same.
    /// </summary>
    private const int AheadMilliseconds = 1_000;

    /// <summary>
    /// Lanes of at least so many agents are looked at: those with a backlog in lanes that had no turn for long may
    /// have been served just now from another, and must not hide who comes next.
    /// </summary>
    private const int FewestAgents = 8;

    /// <summary>Offered beyond what is wanted of a partition.</summary>
    private const int Spare = 8;

    /// <summary>The same is found each time and cannot be taken: there is no record to it.</summary>
    private const int MostRoundsInVain = 5;

    private readonly long upTo = order.Due?.ToUnixTimeMilliseconds() ?? now;

    /// <summary>Lanes are read at the same time.</summary>
    private readonly ConcurrentDictionary<string, long> servedAgents = [];
    private readonly Dictionary<(string Lane, int Band), TakeSource> sources = [];
    private readonly List<Delivery> taken = [];
    private int budget = PageRequest.MostBytes;

    public async Task<IReadOnlyList<Delivery>> Run(CancellationToken cancellation)
    {
        var inVain = 0;
        string? head = null;
        while (taken.Count < order.Limit && inVain < MostRoundsInVain)
        {
            var wanted = order.Limit - taken.Count;
            var lanes = await Lanes(wanted, cancellation);
            if (lanes.Count == 0)
            {
                break;
            }

            servedAgents.Clear();
            var waiting = await PartitionMerge.First(lanes, wanted, ByTurn, (lane, count) => Read(lane, count, cancellation));
            var had = taken.Count;
            await TakeFrom(Shares(waiting), atLeastOne: had == 0, cancellation);
            var took = taken.Count - had;

            // Where other takers were faster, what is found changes: there may be more for this one too.
            var next = waiting.Items.Count > 0 ? waiting.Items[0].Entry.Member : null;
            inVain = took == 0 && next == head ? inVain + 1 : 0;
            head = next;
            if ((waiting.Items.Count < wanted && took == waiting.Items.Count) || (took == 0 && had > 0))
            {
                // No more are due; or what is left would not fit into this reply, or other takers were faster.
                break;
            }
        }

        return taken;
    }

    /// <summary>The lanes whose turn it is, in every partition.</summary>
    private async Task<IReadOnlyList<LaneTurn>> Lanes(int wanted, CancellationToken cancellation)
    {
        var (agentId, moduleName) = order.Filter;
        if (agentId.Length > 0 && moduleName.Length > 0)
        {
            return [.. store.AllPartitions().Select(partition => new LaneTurn(partition, agentId, moduleName, Band: null, Score: 0))];
        }

        var turns = TaskIndexes.TurnsOf(order.Filter);
        var heads = await PartitionMerge.First(
            store.AllPartitions(),
            wanted,
            Orders.Lowest,
            (partition, count) => store.Due(new StoreKey(partition, turns), Math.Max(upTo, now) + AheadMilliseconds, count, cancellation));

        // As many as tasks are wanted are enough, as each lane has one.
        var agents = new HashSet<string>();
        return [.. heads.Seen.Select(Turn).TakeWhile((turn, i) => (agents.Add(turn.AgentId) && agents.Count <= FewestAgents) || agents.Count < FewestAgents || i < wanted)];

        static LaneTurn Turn(IndexEntry head)
        {
            var (agentId, moduleName) = Names.ReadLane(head.Member[1..]);
            return new LaneTurn(head.Partition, agentId, moduleName, Bands.BandOf(head.Score), Bands.DueOf(head.Score));
        }
    }

    private async Task<IReadOnlyList<Waiting>> Read(LaneTurn turn, int count, CancellationToken cancellation)
    {
        var index = new StoreKey(turn.Partition, TaskIndexes.LaneOf(turn.AgentId, turn.ModuleName).Index);
        var due = turn.Band is { } band
            ? await store.Lowest(index, new PageCursor(Bands.Score(band, 0), string.Empty), Bands.Score(band, upTo), count, cancellation)
            : await store.Due(index, upTo, count, cancellation);
        if (due.Count > 0 && turn.Score > Bands.DueOf(due[0].Score))
        {
            // Behind those that came due in that same millisecond.
            var served = turn.Score + 1;
            servedAgents.AddOrUpdate(turn.AgentId, served, (_, other) => Math.Max(served, other));
        }

        return [.. due.Select(entry => new Waiting(turn, entry))];
    }

    private int ByTurn(Waiting left, Waiting right)
    {
        var byBand = left.Band.CompareTo(right.Band);
        var byTurn = byBand != 0 ? byBand : TurnOf(left).CompareTo(TurnOf(right));
        return byTurn != 0 ? byTurn : Orders.Lowest(left.Entry, right.Entry);
    }

    private long TurnOf(Waiting waiting) =>
        Math.Max(waiting.Due, servedAgents.GetValueOrDefault(waiting.Turn.AgentId));

    /// <summary>
    /// How many each partition gives; first the partition of the very first. All that was seen of a partition is
    /// offered, as other takers may be faster with some of it.
    /// </summary>
    private Share[] Shares(Merged<Waiting> waiting) =>
    [
        .. from one in waiting.Items
           group one by one.Entry.Partition into wanted
           select new Share(
               wanted.Key,
               wanted.Count(),
               [.. waiting.Seen.Where(seen => seen.Entry.Partition == wanted.Key).Take(wanted.Count() + Spare).Select(CandidateOf)]),
    ];

    /// <summary>
    /// Each share has its part of the bytes of a reply. Only the very first is taken whatever its size, as otherwise
    /// it would never be: by itself, so that what it takes beyond its part is gone from the others'.
    /// </summary>
    private async Task TakeFrom(Share[] shares, bool atLeastOne, CancellationToken cancellation)
    {
        var all = shares.Sum(share => share.Count);
        if (atLeastOne && shares.Length > 0)
        {
            await TakeFrom(shares[..1], all, atLeastOne: true, cancellation);
            all -= shares[0].Count;
            shares = shares[1..];
        }

        await TakeFrom(shares, all, atLeastOne: false, cancellation);
    }

    private async Task TakeFrom(Share[] shares, int all, bool atLeastOne, CancellationToken cancellation)
    {
        var left = (long)budget;
        var told = new AuditEvent(EventTypes.TasksRetrieved, "due tasks taken");
        var deliveries = await Task.WhenAll(shares.Select(share => store.Take(
            new Take(
                share.Partition,
                share.Offered,
                upTo,
                order.Lease,
                share.Count,
                (int)(left * share.Count / all),
                atLeastOne,
                events.WriteAround(told, origin, "lease_tokens", AuditEvent.Names.Agents),
                TaskCounts.Delivered,
                order.TellsEnd),
            cancellation)));
        foreach (var delivered in deliveries.SelectMany(some => some))
        {
            taken.Add(delivered);
            budget -= delivered.Record.Payload.Length + delivered.Record.Document.Length;
        }
    }

    private Candidate CandidateOf(Waiting waiting)
    {
        var (_, agentId, moduleName, _, _) = waiting.Turn;
        var key = (Names.Lane(agentId, moduleName), waiting.Band);
        if (!sources.TryGetValue(key, out var source))
        {
            source = new TakeSource(
                TaskIndexes.LaneOf(agentId, moduleName),
                waiting.Band,
                agentId,
                TaskIndexes.Plain(Domain.Tasks.MeasurementTaskStatus.Pending, agentId, moduleName),
                TaskIndexes.Plain(Domain.Tasks.MeasurementTaskStatus.Inflight, agentId, moduleName));
            sources.Add(key, source);
        }

        return new Candidate(waiting.Entry.Member, Names.Task(waiting.Entry.Member), source);
    }

    /// <param name="Band">Null: all of the lane's.</param>
    /// <param name="Score">When its turn came, Unix milliseconds.</param>
    private sealed record LaneTurn(int Partition, string AgentId, string ModuleName, int? Band, long Score);

    private readonly record struct Waiting(LaneTurn Turn, IndexEntry Entry)
    {
        public int Band => Bands.BandOf(Entry.Score);

        public long Due => Bands.DueOf(Entry.Score);
    }

    private sealed record Share(int Partition, int Count, IReadOnlyList<Candidate> Offered);
}
