using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.ModuleStates;

/// <summary>
/// Lists of states, latest first. A list is merged from the sorted sets of all partitions: an agent's from those of its modules,
/// the list of all from those of all modules.
/// </summary>
internal sealed class ModuleStateLists(RedisPartitions partitions)
{
    private const int MostInOneScript = 100;
    private const int EnoughBytesOfOneScript = 1024 * 1024;
    private const int ModulesAtOnce = 1_000;

    /// <summary>At a page's cursor: its own entry, and others of the same microsecond, which an import may have put there.</summary>
    private const int TiesReadAlong = 4;

    private static readonly Script ReadSets = new("list_module_states");
    private static readonly Script ReadRecords = new("read_module_states");

    /// <summary>A request of one agent alone has no set of its agents.</summary>
    public async Task<bool> HasSeveralAgents(string requestId, CancellationToken cancellation)
    {
        var partition = partitions.Of(requestId);
        var key = partitions.Key(partition, AgentsOfRequest(Names.Encode(requestId)));
        return (long)await partitions.Read(partition, "EXISTS", [key], cancellation) > 0;
    }

    public async Task Read(StateFilter filter, ModuleStatePage page, CancellationToken cancellation)
    {
        var sets = await SetsOf(filter, cancellation);
        var hasMore = sets.Count > 0;
        while (hasMore && !page.IsFull)
        {
            var wanted = page.Wanted;
            var below = page.After is { } cursor ? Entry.At(cursor) : null;
            var entries = (await PartitionMerge.FirstOfAll(sets, wanted, Entry.LatestFirst, (some, count) => Latest(some, Math.Min(count, wanted), below, cancellation))).Items;
            hasMore = entries.Count == wanted;
            var records = await RecordsOf(entries, cancellation);
            for (var i = 0; i < entries.Count && !page.IsFull; i++)
            {
                if (records[i] is not { } record)
                {
                    // The bytes were enough before it: the next round begins here.
                    hasMore = true;
                    break;
                }

                page.Add(record.Length == 0 ? null : ModuleStateValue.Read(record, entries[i].Request, out _), entries[i].Cursor);
            }
        }
    }

    private async Task<IReadOnlyList<Set>> SetsOf(StateFilter filter, CancellationToken cancellation)
    {
        var (agent, module, request) = (Names.Encode(filter.AgentId), Names.Encode(filter.ModuleName), Names.Encode(filter.RequestId));
        if (request.Length > 0)
        {
            return [new Set(partitions.Of(filter.RequestId), AgentsOfRequest(request), string.Empty, string.Empty, request)];
        }

        if (module.Length > 0)
        {
            return [.. partitions.All.Select(SetOfModule)];
        }

        var modules = agent.Length > 0 ? $"states:agent:{agent}" : "states:modules";
        var ofPartitions = await Task.WhenAll(partitions.All.Select(partition => ModulesIn(partition, modules, cancellation)));
        return [.. ofPartitions.SelectMany((names, partition) => names.Select(name => Of(partition, name)))];

        Set SetOfModule(int partition) => Of(partition, module);

        Set Of(int partition, string module) => agent.Length > 0
            ? new Set(partition, $"states:both:{agent}:{module}", agent, module, string.Empty)
            : new Set(partition, $"states:module:{module}", string.Empty, module, string.Empty);
    }

    private static string AgentsOfRequest(string request) => $"states:request:{request}";

    private async Task<List<string>> ModulesIn(int partition, string name, CancellationToken cancellation)
    {
        var modules = new List<string>();
        string[] some;
        do
        {
            var from = modules.Count == 0 ? "-" : $"({modules[^1]}";
            object[] words = [partitions.Key(partition, name), from, "+", "LIMIT", 0, ModulesAtOnce];
            some = (string[])(await partitions.Read(
                partition, "ZRANGEBYLEX", words, cancellation, cost: StorePermits.CostOfEntries(ModulesAtOnce)))!;
            modules.AddRange(some);
        }
        while (some.Length == ModulesAtOnce);

        return modules;
    }

    /// <summary>The latest so many entries of each set that come after the cursor.</summary>
    private async Task<IReadOnlyList<Entry>[]> Latest(IReadOnlyList<Set> sets, int count, Entry? below, CancellationToken cancellation)
    {
        var latest = new IReadOnlyList<Entry>[sets.Count];
        List<int> open = [.. Enumerable.Range(0, sets.Count)];
        for (var most = count + (below is null ? 0 : TiesReadAlong); open.Count > 0; most *= 2)
        {
            var unfinished = new List<int>();
            await Task.WhenAll(open.GroupBy(i => sets[i].Partition).SelectMany(group => group.Chunk(MostInOneScript)).Select(async some =>
            {
                RedisValue[] values = [most, below is null ? "+inf" : below.ChangedAt, .. some.Select(i => (RedisValue)sets[i].Name)];
                var answers = (RedisResult[])(await partitions.Read(
                    ReadSets, sets[some[0]].Partition, values, cancellation, cost: some.Length + StorePermits.CostOfEntries(most)))!;
                for (var at = 0; at < some.Length; at++)
                {
                    var all = sets[some[at]].Read((RedisValue[])answers[at]!);
                    var after = below is null ? all : all.FindAll(entry => Entry.LatestFirst(below, entry) < 0);
                    latest[some[at]] = after.Count > count ? after.GetRange(0, count) : after;
                    if (all.Count == most && after.Count < count)
                    {
                        lock (unfinished)
                        {
                            unfinished.Add(some[at]);
                        }
                    }
                }
            }));
            open = unfinished;
        }

        return latest;
    }

    /// <returns>Null for those that were not read as others filled the reply; empty for those that are not there.</returns>
    private async Task<byte[]?[]> RecordsOf(IReadOnlyList<Entry> entries, CancellationToken cancellation)
    {
        var records = new byte[]?[entries.Count];
        await Task.WhenAll(Enumerable.Range(0, entries.Count).GroupBy(i => entries[i].Partition).SelectMany(group => group.Chunk(MostInOneScript)).Select(async some =>
        {
            RedisValue[] values = [EnoughBytesOfOneScript, .. some.SelectMany(i => (RedisValue[])[entries[i].Request, entries[i].Agent, entries[i].Module])];
            var answers = (byte[][])(await partitions.Read(
                ReadRecords, entries[some[0]].Partition, values, cancellation, cost: some.Length))!;
            for (var at = 0; at < answers.Length; at++)
            {
                records[some[at]] = answers[at];
            }
        }));
        return records;
    }

    /// <summary>One sorted set. What its name says of all its members is known; empty: the members say it.</summary>
    private sealed record Set(int Partition, string Name, string Agent, string Module, string Request)
    {
        public List<Entry> Read(RedisValue[] membersAndScores)
        {
            var entries = new List<Entry>(membersAndScores.Length / 2);
            for (var i = 0; i < membersAndScores.Length; i += 2)
            {
                var member = (string)membersAndScores[i]!;
                var colon = member.IndexOf(':', StringComparison.Ordinal);
                var (agent, request) = Agent.Length > 0 ? (Agent, member)
                    : Request.Length > 0 ? (member, Request)
                    : (member[..colon], member[(colon + 1)..]);
                entries.Add(new Entry(Partition, (long)(double)membersAndScores[i + 1], agent, request, Module));
            }

            return entries;
        }
    }

    /// <param name="ChangedAt">Unix microseconds.</param>
    private sealed record Entry(int Partition, long ChangedAt, string Agent, string Request, string Module)
    {
        public PageCursor Cursor => new(ChangedAt, $"{Agent}:{Request}:{Module}");

        public static Entry At(PageCursor cursor)
        {
            var names = cursor.Member.Split(':');
            return new Entry(-1, cursor.Score, names[0], names.ElementAtOrDefault(1) ?? string.Empty, names.ElementAtOrDefault(2) ?? string.Empty);
        }

        /// <summary>Within one set, as Redis sorts it.</summary>
        public static int LatestFirst(Entry left, Entry right)
        {
            var byTime = right.ChangedAt.CompareTo(left.ChangedAt);
            if (byTime != 0)
            {
                return byTime;
            }

            var byMember = Utf8Order.Compare($"{right.Agent}:{right.Request}", $"{left.Agent}:{left.Request}");
            return byMember != 0 ? byMember : Utf8Order.Compare(right.Module, left.Module);
        }
    }
}
