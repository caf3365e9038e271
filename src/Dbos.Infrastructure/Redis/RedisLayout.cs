using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>The layout record, and all keys of the store, whatever number of partitions they were laid out for.</summary>
public sealed class RedisLayout(RedisConnection connection, StoreSettings settings) : IStoreLayout
{
    private const string MovedFrom = "moved_from";

    /// <summary>Several times as long as a DBOS that serves lets pass between two probes.</summary>
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private readonly RedisKeys keys = new(settings.KeyPrefix, settings.Partitions);

    private RedisKey Layout => keys.Of(0, RedisKeys.Layout);

    public async Task<StoreLayout> Open(CancellationToken cancellation)
    {
        await connection.OpenUnchecked();
        var fields = await connection.Ask(
            static (redis, layout) => redis.HashGetAsync(layout, ["partitions", "schema", MovedFrom], CommandFlags.DemandMaster),
            Layout,
            cancellation);
        return RedisAnswers.LayoutOf(fields) ?? new StoreLayout(settings.Partitions, StoreLayout.CurrentSchema, MovedFrom: null);
    }

    /// <summary>Whoever serves writes a new time into the probe once a second.</summary>
    public async Task<bool> IsServed(CancellationToken cancellation)
    {
        var first = await Probe(cancellation);
        for (var looked = TimeSpan.Zero; !first.IsNull && looked < ProbePatience; looked += BetweenLooks)
        {
            await Task.Delay(BetweenLooks, cancellation);
            if (await Probe(cancellation) != first)
            {
                return true;
            }
        }

        return false;
    }

    public async Task BeginMove(string from, CancellationToken cancellation)
    {
        await connection.Ask(
            static async (redis, ask) =>
            {
                await redis.HashSetAsync(
                    ask.Layout,
                    [new("partitions", ask.Partitions), new("schema", StoreLayout.CurrentSchema), new(MovedFrom, ask.from)]);
                return true;
            },
            (Layout, settings.Partitions, from),
            cancellation);
        string? cursor = null;
        do
        {
            (var found, cursor) = await connection.Scan(keys.Pattern, cursor, cancellation);
            await Task.WhenAll(found
                .Where(key => keys.Read(key) is { } name && name != new StoreKey(0, RedisKeys.Layout))
                .Select(key => connection.Ask(static (redis, key) => redis.KeyDeleteAsync(key), (RedisKey)key, cancellation)));
        }
        while (cursor is not null);
    }

    public Task EndMove(CancellationToken cancellation) =>
        connection.Ask(static (redis, layout) => redis.HashDeleteAsync(layout, MovedFrom), Layout, cancellation);

    private Task<RedisValue> Probe(CancellationToken cancellation) =>
        connection.Ask(static (redis, probe) => redis.StringGetAsync(probe), keys.Of(0, RedisKeys.Probe), cancellation);
}
