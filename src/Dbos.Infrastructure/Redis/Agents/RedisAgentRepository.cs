using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Agents;

/// <summary>
/// Agents in Redis: a record for each, the set of all by id, and the set of those alive by the instant at which they are lost. A heartbeat
/// is decided on what this process remembers of the agent, and is one script that checks it.
/// </summary>
internal sealed partial class RedisAgentRepository(
    RedisPartitions redis, Heartbeats probe, DbosPolicy policy, TimeProvider clock, ILogger<RedisAgentRepository> logger)
    : IAgentRepository, ISubjectTransfer<Agent>
{
    private const int MostOfAScript = 100;
    private const int FewestOfAPartition = 16;

    private static readonly Script ChangeAgent = new("change_agent");
    private static readonly Script OverdueAgents = new("overdue_agents");

    /// <summary>How often deadlines are sought that lie too far ahead.</summary>
    private static readonly TimeSpan BetweenLooksAhead = TimeSpan.FromSeconds(10);

    /// <summary>Clocks of replicas may differ by so much.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    private readonly RecentAgents<RedisAgentRecord> recent = new();
    private readonly Periodic lookAhead = new(BetweenLooksAhead);
    private readonly Periodic warning = new(TimeSpan.FromMinutes(1));

    public async Task<Agent?> Find(string agentId, CancellationToken cancellation) => (await Read(agentId, cancellation))?.Agent;

    public Task<Page<Agent>> List(AgentFilter filter, PageRequest page, CancellationToken cancellation) =>
        new RedisAgentList(redis, filter, cancellation).Read(page);

    public Task<Answer<Written>> Change(
        string agentId, Func<Agent?, Answer<Decision<Agent>>> decide, CommitContext work, CancellationToken cancellation) =>
        OptimisticWrite.Run(
            new Change<RedisAgentRecord>(
                work, recent.Find(agentId), known => Lift(decide(known?.Agent), known), () => Read(agentId, cancellation)),
            draft => Write(draft, cancellation));

    public async Task<IReadOnlyList<string>> Overdue(int limit, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var looksAhead = lookAhead.IsDue();
        if (!looksAhead && !probe.MayHavePassed(Names.AgentDeadlines, now))
        {
            return [];
        }

        var partitions = new AnsweringPartitions([.. redis.All]);
        var share = Math.Max(FewestOfAPartition, limit / redis.Count);
        var found = await Task.WhenAll(partitions.Numbers.Select(partition =>
            partitions.Heard(partition, OverdueIn(partition, now, looksAhead, share, cancellation))));
        var ids = found.SelectMany(some => some).ToArray();
        if (ids.Length == 0)
        {
            partitions.DemandAll();
        }

        return ids;
    }

    public async Task<AgentCounts> Count(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var known = Sum("ZCARD", Names.Agents);
        var alive = Sum("ZCOUNT", Names.AgentDeadlines, $"({now}", "+inf");
        return new AgentCounts(await known, await alive);

        async Task<long> Sum(string command, string key, params object[] words) => (await Task.WhenAll(redis.All.Select(
            partition => redis.Read(partition, command, [redis.Key(partition, key), .. words], cancellation)))).Sum(count => (long)count);
    }

    public async IAsyncEnumerable<Agent> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var lists = redis.All.Select(partition => new RedisAgentSlices(redis, partition, AgentFilter.All, after: null, cancellation));
        foreach (var slices in lists)
        {
            while (await slices.ReadOn(MostOfAScript))
            {
                while (slices.Waiting.TryDequeue(out var agent))
                {
                    yield return agent.Agent;
                }
            }
        }
    }

    public async Task Import(IReadOnlyList<Agent> records, CancellationToken cancellation)
    {
        var work = new CommitContext();
        var saved = await Task.WhenAll(records.Select(agent => Write(
            new Draft<RedisAgentRecord>(Before: null, new RedisAgentRecord(agent, string.Empty), work), cancellation)));
        if (Array.FindIndex(saved, outcome => outcome is not Saved<RedisAgentRecord>.Done) is >= 0 and var at)
        {
            throw new InvalidOperationException($"agent '{records[at].Id}' is there already");
        }
    }

    private static Answer<Decision<RedisAgentRecord>> Lift(Answer<Decision<Agent>> decided, RedisAgentRecord? known)
    {
        if (decided.Refusal is { } refusal)
        {
            return refusal;
        }

        var (next, isReplay, events) = decided.Value;
        return new Decision<RedisAgentRecord>(new RedisAgentRecord(next, known?.Written ?? string.Empty), isReplay, events);
    }

    private async Task<RedisAgentRecord?> Read(string agentId, CancellationToken cancellation)
    {
        var partition = redis.Of(agentId);
        var fields = (RedisResult[])(await redis.Read(
            partition, "HMGET", [redis.Key(partition, Names.Agent(agentId)), .. RedisAgentRecord.Fields], cancellation))!;
        return RedisAgentRecord.Read(agentId, fields);
    }

    private async Task<Saved<RedisAgentRecord>> Write(Draft<RedisAgentRecord> draft, CancellationToken cancellation)
    {
        var (before, next, work) = (draft.Before, draft.Next.Agent, draft.Work);
        var values = redis.NewWrite(capacity: 24);
        var operation = values[^1];
        values.Add(work.Mark is { } mark ? Names.Mark(mark.Name) : string.Empty);
        values.Add(work.Mark is { } content ? MarkValue.Write(next.Version, content.Content) : RedisValue.EmptyString);
        values.Add(next.Id);
        values.Add(Names.Agent(next.Id));
        values.Add(before?.Written ?? string.Empty);
        values.Add(next.Version);
        values.Add(RedisAgentRecord.StateOf(next));
        values.Add(next.Alive ? (next.HeardAt + policy.AgentTimeout).ToUnixTimeMilliseconds() : RedisValue.EmptyString);
        RedisAgentRecord.AddFields(values, before?.Agent, next);
        values.Add(work.Events.Count);
        foreach (var told in work.Events)
        {
            values.Add(EventWriter.Body(told, work.Origin));
        }

        var answer = await redis.Write(ChangeAgent, redis.Of(next.Id), values, cancellation);
        return SavedBy(answer, new RedisAgentRecord(next, $"{next.Version} {operation}"), work);
    }

    private Saved<RedisAgentRecord> SavedBy(ScriptAnswer answer, RedisAgentRecord written, CommitContext work)
    {
        var items = answer.Items.Span;
        var id = written.Agent.Id;
        switch ((string)items[0]!)
        {
            case "done":
                recent.Remember(id, written.Bare);
                return new Saved<RedisAgentRecord>.Done(written.Version);
            case "replayed":
                return new Saved<RedisAgentRecord>.Replayed(MarkValue.Read((byte[])items[1]!, work.Mark!.Content));
            case "conflict" when answer.MayHaveRunBefore:
                recent.Forget(id);
                throw new StoreUnavailableException("the connection broke, and another heartbeat followed: whether this one was stored is unknown");
            case "conflict":
                var found = RedisAgentRecord.Read(id, items[1..]);
                if (found is not null)
                {
                    recent.Remember(id, found.Bare);
                }
                else
                {
                    recent.Forget(id);
                }

                return new Saved<RedisAgentRecord>.Conflict(found);
            case var other:
                throw new InvalidOperationException($"unknown answer of change_agent.lua: {other}");
        }
    }

    private async Task<IReadOnlyList<string>> OverdueIn(
        int partition, DateTimeOffset now, bool looksAhead, int most, CancellationToken cancellation)
    {
        var ids = await Between("-inf", Text(now), []);
        return looksAhead && ids.Count < most ? await Between($"({Text(now + policy.AgentTimeout + ClockTolerance)}", "+inf", ids) : ids;

        async Task<List<string>> Between(string lowest, string highest, List<string> ids)
        {
            for (var skip = 0; ids.Count < most; skip += MostOfAScript)
            {
                var slice = (RedisResult[])(await redis.Read(
                    OverdueAgents,
                    partition,
                    [lowest, highest, skip, MostOfAScript],
                    cancellation,
                    StoreWork.Background,
                    StorePermits.CostOfUpTo(MostOfAScript)))!;
                var (known, unknown) = ((string[])slice[0]!, (string[])slice[1]!);
                ids.AddRange(known);
                if (unknown.Length > 0 && warning.IsDue())
                {
                    LogUnknown(unknown.Length, partition, unknown[0]);
                }

                if (known.Length + unknown.Length < MostOfAScript)
                {
                    break;
                }
            }

            return ids;
        }

        static string Text(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
    }

    [LoggerMessage(
        LogLevel.Warning,
        "{Count} entries or more in agents:deadlines of partition {Partition} have no readable agent record, {AgentId} among them: they are stepped over")]
    private partial void LogUnknown(int count, int partition, string agentId);

    /// <summary>Says no more often than once in a period that it is time.</summary>
    private sealed class Periodic(TimeSpan period)
    {
        private long last;

        public bool IsDue()
        {
            var before = Volatile.Read(ref last);
            return (before == 0 || Stopwatch.GetElapsedTime(before) > period)
                && Interlocked.CompareExchange(ref last, Stopwatch.GetTimestamp(), before) == before;
        }
    }
}
