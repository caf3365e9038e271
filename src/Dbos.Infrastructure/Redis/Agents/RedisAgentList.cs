using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Redis.Agents;

/// <summary>One page of agents by id: slices of all partitions, merged.</summary>
internal sealed class RedisAgentList(RedisPartitions redis, AgentFilter filter, CancellationToken cancellation)
{
    private const int MostOfAScript = 100;
    private const int Spare = 4;

    public async Task<Page<Agent>> Read(PageRequest page)
    {
        var partitions = redis.All
            .Select(partition => new RedisAgentSlices(redis, partition, filter, page.After?.Member, cancellation))
            .ToArray();
        var atOnce = Math.Min(MostOfAScript, (2 * (page.Limit + 1) / redis.Count) + Spare);
        var items = new List<Agent>();
        var bytes = 0L;
        while (true)
        {
            if (partitions.Any(slices => slices.IsEmptyNow))
            {
                // Those that are nearly empty are filled too, so that partitions are not read one after the other.
                await Task.WhenAll(partitions.Where(slices => slices.Waiting.Count <= atOnce / 2).Select(slices => slices.FillUp(atOnce)));
            }

            var first = partitions.Where(slices => slices.Waiting.Count > 0).MinBy(slices => slices.Waiting.Peek().Agent.Id, Utf8);
            if (first is null)
            {
                return new Page<Agent>(items, Next: null) { Bytes = bytes };
            }

            bytes += first.Waiting.Peek().Bytes;
            if (items.Count == page.Limit || (bytes > PageRequest.MostBytes && items.Count > 0))
            {
                return new Page<Agent>(items, new PageCursor(0, items[^1].Id)) { Bytes = bytes };
            }

            items.Add(first.Waiting.Dequeue().Agent);
        }
    }

    private static readonly Comparer<string> Utf8 = Comparer<string>.Create(Utf8Order.Compare);
}
