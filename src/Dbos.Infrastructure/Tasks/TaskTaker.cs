using System.Collections.Concurrent;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// Finds the tasks whose turn it is, over all partitions, and takes them. A higher priority goes first; within one the
/// oldest; but an agent's tasks are no older than its last turn, so that its backlog lets others pass.
/// </summary>
internal sealed class TaskTaker(
    IStore store, EventWriter events, ServedAgents servedHere, TakeOrder order, TimeProvider clock, Origin origin)
{
    /// <summary>
    /// A lane that was taken from has its turn when that was, by another replica's clock, which may be a little ahead,
    /// or since this taker began to look: what is left in it is due all the same. A look that took longer and found nothing
    /// says nothing.
    /// </summary>
    private const int AheadMilliseconds = 1_000;

    /// <summary>
    /// Lanes of at least so many agents are looked at: those with a backlog in lanes that had no turn for long may
    /// have been served just now from another, and must not hide who comes next.
    /// </summary>
    private const int FewestAgents = 8;

    /// <summary>Read at first; more where they are those of fewer agents.</summary>
    private const int FewestTurns = 32;

    /// <summary>Offered beyond what is wanted of a partition.</summary>
    private const int Spare = 8;

    /// <summary>The same is found each time and cannot be taken, as there is no record to it; or every look takes long.</summary>
    private const int MostRoundsInVain = 5;

    /// <summary>Unix milliseconds.</summary>
    private readonly long upTo = (order.Due ?? clock.GetUtcNow()).ToUnixTimeMilliseconds();

    /// <summary>As turns tell; of an agent of many lanes, as this process remembers too. Lanes are read at the same time.</summary>
    private readonly ConcurrentDictionary<string, long> servedAgents = [];
    private readonly Dictionary<(string Lane, int Band), TakeSource> sources = [];
    private readonly List<Delivery> taken = [];
    private readonly AnsweringPartitions partitions = new(store);
    private int budget = PageRequest.MostBytes;

    public async Task<IReadOnlyList<Delivery>> Run(CancellationToken cancellation)
    {
        var inVain = 0;
        string? head = null;
        while (taken.Count < order.Limit && inVain < MostRoundsInVain)
        {
            var wanted = order.Limit - taken.Count;
            var lookedAt = Now;
            var waiting = await First(wanted, lookedAt, cancellation);
            var tookLong = Now - lookedAt >= AheadMilliseconds;
            var had = taken.Count;
            await TakeFrom(Shares(waiting), atLeastOne: had == 0, cancellation);
            var took = taken.Count - had;

            // Where other takers were faster, what is found changes: there may be more for this one too.
            var next = waiting.Items.Count > 0 ? waiting.Items[0].Entry.Member : null;
            inVain = took == 0 && next == head ? inVain + 1 : 0;
            head = next;

            // No more are due; or what is left would not fit into this reply, or other takers were faster.
            var isOver = (waiting.Items.Count < wanted && took == waiting.Items.Count) || (took == 0 && had > 0);
            if (isOver && (taken.Count > 0 || !tookLong))
            {
                break;
            }
        }

        // What some partitions gave is this taker's: untold, nobody would have it until its lease expires.
        if (taken.Count == 0)
        {
            partitions.DemandAll();
        }

        return taken;
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The first that are due, by turns.</summary>
    private async Task<Merged<Waiting>> First(int wanted, long now, CancellationToken cancellation)
    {
        servedAgents.Clear();
        var (agentId, moduleName) = order.Filter;
        if (agentId.Length > 0 && moduleName.Length > 0)
        {
            // There is but one lane, whose turn it always is.
            return await PartitionMerge.First(partitions.Numbers, wanted, ByTurn, async (partition, count) =>
            {
                var lane = new LaneTurn(partition, agentId, moduleName, Band: 0, Score: 0);
                return WaitingOf(lane, await Due(partition, lane.Index, upTo, count, cancellation));
            });
        }

        var lanes = await Lanes(wanted, now, cancellation);
        foreach (var (agent, _) in lanes.CountBy(lane => lane.AgentId).Where(of => of.Value > FewestTurns))
        {
            // The lanes that it was served from may be empty by now, or may not be among these.
            servedAgents[agent] = servedHere[agent];
        }

        return await PartitionMerge.FirstOfAll(lanes, wanted, ByTurn, (some, count) => Heads(some, count, cancellation));
    }

    private Task<IReadOnlyList<IndexEntry>> Due(int partition, string index, long by, int count, CancellationToken cancellation) =>
        partitions.Heard(partition, store.Due(new StoreKey(partition, index), by, count, cancellation));

    /// <summary>The lanes whose turn it is, in every partition.</summary>
    private async Task<IReadOnlyList<LaneTurn>> Lanes(int wanted, long now, CancellationToken cancellation)
    {
        var turns = TaskIndexes.TurnsOf(order.Filter);
        Merged<IndexEntry> heads;
        LaneTurn[] seen;
        var count = Math.Max(wanted, FewestTurns);
        while (true)
        {
            heads = await PartitionMerge.First(
                partitions.Numbers,
                count,
                Orders.Lowest,
                (partition, most) => Due(partition, turns, Math.Max(upTo, now) + AheadMilliseconds, most, cancellation));
            seen = [.. heads.Seen.Select(Turn)];
            if (heads.Items.Count < count || seen.DistinctBy(turn => turn.AgentId).Skip(FewestAgents - 1).Any())
            {
                break;
            }

            count *= 4;
        }

        // As many as tasks are wanted are enough, as each lane has one.
        var agents = new HashSet<string>();
        return [.. seen.TakeWhile((turn, i) => (agents.Add(turn.AgentId) && agents.Count <= FewestAgents) || agents.Count < FewestAgents || i < wanted)];

        static LaneTurn Turn(IndexEntry head)
        {
            var (agentId, moduleName) = Names.ReadLane(head.Member[1..]);
            return new LaneTurn(head.Partition, agentId, moduleName, Bands.BandOf(head.Score), Bands.DueOf(head.Score));
        }
    }

    /// <summary>The heads of lanes, those of one partition in one go.</summary>
    private async Task<IReadOnlyList<Waiting>[]> Heads(IReadOnlyList<LaneTurn> turns, int count, CancellationToken cancellation)
    {
        var heads = new IReadOnlyList<Waiting>[turns.Count];
        Array.Fill(heads, []);
        await Task.WhenAll(Enumerable.Range(0, turns.Count).GroupBy(i => turns[i].Partition).Select(async partition =>
        {
            var bands = partition.Select(i => new IndexBand(turns[i].Index, turns[i].Band)).ToArray();
            var all = await partitions.Heard(partition.Key, store.Heads(partition.Key, bands, upTo, count, cancellation));
            foreach (var (i, due) in partition.Zip(all))
            {
                heads[i] = WaitingOf(turns[i], due);
            }
        }));
        return heads;
    }

    private IReadOnlyList<Waiting> WaitingOf(LaneTurn turn, IReadOnlyList<IndexEntry> due)
    {
        if (due.Count > 0 && turn.Score > Bands.DueOf(due[0].Score))
        {
            servedAgents.AddOrUpdate(turn.AgentId, turn.Score, (_, other) => Math.Max(turn.Score, other));
        }

        return [.. due.Select(entry => new Waiting(turn, entry))];
    }

    private int ByTurn(Waiting left, Waiting right)
    {
        var byTurn = (left.Band, TurnOf(left)).CompareTo((right.Band, TurnOf(right)));
        var byAgent = byTurn != 0 ? byTurn : string.CompareOrdinal(ServedAgent(left), ServedAgent(right));
        return byAgent != 0 ? byAgent : Orders.Lowest(left.Entry, right.Entry);
    }

    /// <summary>Agents that were served together have their turns one after the other. Empty: its turn is when it is due.</summary>
    private string ServedAgent(Waiting waiting) => TurnOf(waiting) > waiting.Due ? waiting.Turn.AgentId : string.Empty;

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

    private async Task TakeFrom(Share[] shares, int wanted, bool atLeastOne, CancellationToken cancellation)
    {
        var left = (long)budget;
        var told = new AuditEvent(EventTypes.TasksRetrieved, "due tasks taken");
        // Behind those that came due in this same millisecond.
        var servedAt = Now + 1;
        var takes = shares.Select(share => partitions.Heard(share.Partition, store.Take(
            new Take(
                share.Partition,
                share.Offered,
                upTo,
                servedAt,
                order.Lease,
                share.Count,
                (int)(left * share.Count / wanted),
                atLeastOne,
                events.WriteAround(told, origin, "lease_tokens", AuditEvent.Names.Agents),
                TaskCounts.Delivered,
                order.TellsEnd),
            cancellation)));
        foreach (var delivered in (await Task.WhenAll(takes)).SelectMany(deliveries => deliveries))
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
                TaskIndexes.Plain(MeasurementTaskStatus.Pending, agentId, moduleName),
                TaskIndexes.Plain(MeasurementTaskStatus.Inflight, agentId, moduleName));
            sources.Add(key, source);
        }

        return new Candidate(waiting.Entry.Member, Names.Task(waiting.Entry.Member), source);
    }

    /// <param name="Score">When its turn came, Unix milliseconds.</param>
    private sealed record LaneTurn(int Partition, string AgentId, string ModuleName, int Band, long Score)
    {
        public string Index => Names.TasksOf(MeasurementTaskStatus.Pending.Word(), AgentId, ModuleName);
    }

    private readonly record struct Waiting(LaneTurn Turn, IndexEntry Entry)
    {
        public int Band => Bands.BandOf(Entry.Score);

        public long Due => Bands.DueOf(Entry.Score);
    }

    private sealed record Share(int Partition, int Count, IReadOnlyList<Candidate> Offered);
}
