using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Layout;

/// <summary>The layout record, and all keys of the store, whatever number of partitions they were laid out for.</summary>
public sealed class RedisLayout(RedisConnection connection, StoreSettings settings) : IStoreLayout
{
    private static readonly Script LastProbe = new("last_probe");

    private const string MovedFrom = "moved_from";

    /// <summary>Several times as long as a DBOS that serves lets pass between two probes.</summary>
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private readonly KeyScan scan = new(connection);

    private RedisKey Layout { get; } = RedisKeys.OfFirst(settings.KeyPrefix).Of(0, RedisKeys.Layout);

    public async Task<StoreLayout> Open(CancellationToken cancellation)
    {
        await connection.OpenUnchecked();
        var fields = await connection.Ask(
            static (redis, layout) => redis.HashGetAsync(layout, ["partitions", "schema", MovedFrom], CommandFlags.DemandMaster),
            Layout,
            cancellation);
        var layout = RedisConnection.LayoutOf(fields) ?? new StoreLayout(connection.PartitionsOfNew, StoreLayout.CurrentSchema, MovedFrom: null);
        connection.LayOut(layout.Partitions);
        return layout;
    }

    /// <summary>Whoever serves probes again before long.</summary>
    public async Task<bool> IsServed(CancellationToken cancellation)
    {
        long? last = null;
        while (await SinceProbed(cancellation) is { } since && since < ProbePatience.TotalMilliseconds)
        {
            if (since < last)
            {
                return true;
            }

            last = since;
            await Task.Delay(BetweenLooks, cancellation);
        }

        return false;
    }

    public async Task BeginMove(string from, CancellationToken cancellation)
    {
        connection.LayOut(connection.PartitionsOfNew);
        await connection.Ask(
            static async (redis, ask) =>
            {
                await redis.HashSetAsync(
                    ask.Layout,
                    [new("partitions", ask.Partitions), new("schema", StoreLayout.CurrentSchema), new(MovedFrom, ask.from), new(RedisKeys.Generation, StoreLayout.NewGeneration())]);
                return true;
            },
            (Layout, connection.Keys.Partitions, from),
            cancellation);
        string? cursor = null;
        do
        {
            (var found, cursor) = await scan.Next(connection.Keys.Pattern, cursor, cancellation);
            await Task.WhenAll(found
                .Where(key => connection.Keys.Read(key) is { } name && name != new StoreKey(0, RedisKeys.Layout))
                .Select(key => connection.Ask(static (redis, key) => redis.KeyDeleteAsync(key), (RedisKey)key, cancellation)));
        }
        while (cursor is not null);
    }

    public Task EndMove(CancellationToken cancellation) =>
        connection.Ask(static (redis, layout) => redis.HashDeleteAsync(layout, MovedFrom), Layout, cancellation);

    private async Task<long?> SinceProbed(CancellationToken cancellation) => (long?)await connection.Ask(
        static (redis, names) => LastProbe.Run(redis, names, []), (RedisKey[])[connection.Keys.Of(0, RedisKeys.Probe), connection.Keys.Scope(0)[1]], cancellation);
}
