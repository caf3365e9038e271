using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Agents;

/// <summary>The agents of one partition by id, read slice by slice.</summary>
/// <param name="after">Null: from the first.</param>
internal sealed class RedisAgentSlices(
    RedisPartitions redis, int partition, AgentFilter filter, string? after, CancellationToken cancellation)
{
    private static readonly Script ListAgents = new("list_agents");
    private static readonly int FieldsOfAnAgent = RedisAgentRecord.Fields.Length + 1;

    /// <summary>Slices of all partitions are in memory at once.</summary>
    private int BytesOfASlice => Math.Max(64 * 1024, 2 * PageRequest.MostBytes / redis.Count);

    private RedisValue from = after is null ? "-" : $"({after}";
    private bool isEnd;

    public Queue<(Agent Agent, long Bytes)> Waiting { get; } = new();

    /// <summary>Nothing waits, and there may be more.</summary>
    public bool IsEmptyNow => Waiting.Count == 0 && !isEnd;

    /// <summary>Reads on until something waits or the end is reached.</summary>
    /// <param name="most">Of a slice, 100 at most.</param>
    public async Task FillUp(int most)
    {
        do
        {
            await ReadOn(most);
        }
        while (IsEmptyNow);
    }

    /// <returns>False: the end was reached before.</returns>
    public async Task<bool> ReadOn(int most)
    {
        if (isEnd)
        {
            return false;
        }

        var slice = (RedisResult[])(await redis.Read(
            ListAgents, partition, [from, most, BytesOfASlice, filter.ToString().ToLowerInvariant()], cancellation, cost: StorePermits.CostOfUpTo(most)))!;
        var upTo = (string)slice[0]!;
        (from, isEnd) = ($"({upTo}", upTo.Length == 0);
        for (var at = 1; at < slice.Length; at += FieldsOfAnAgent)
        {
            var fields = slice.AsSpan(at + 1, RedisAgentRecord.Fields.Length);
            var bytes = 0L;
            foreach (var field in fields)
            {
                bytes += ((RedisValue)field).Length();
            }

            Waiting.Enqueue((RedisAgentRecord.Read((string)slice[at]!, fields)!.Agent, bytes));
        }

        return true;
    }
}
