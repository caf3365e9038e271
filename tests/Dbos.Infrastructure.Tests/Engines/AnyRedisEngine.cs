using System.Globalization;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>Whatever Redis there is behind an address; each store in it has a key prefix of its own.</summary>
public abstract class AnyRedisEngine : IEngine, IAsyncLifetime
{
    private static readonly TimeSpan ListenPatience = TimeSpan.FromSeconds(5);

    private int stores;

    /// <summary>Where a store finds its Redis.</summary>
    protected abstract string Address { get; }

    /// <summary>A connection past the store, as an operator's own.</summary>
    public ConnectionMultiplexer Operator { get; private set; } = null!;

    private IEnumerable<IServer> Primaries => Operator.GetServers().Where(server => !server.IsReplica);

    public async Task InitializeAsync()
    {
        await StartRedis();
        Operator = await ConnectionMultiplexer.ConnectAsync($"{Address},allowAdmin=true,abortConnect=false");
    }

    public async Task DisposeAsync()
    {
        await Operator.DisposeAsync();
        await StopRedis();
    }

    public Task<OpenStore> Open(OpenOptions options) => Open(options, Patient.To(Address));

    /// <param name="address">Where the store finds Redis, if not at once, and with how much patience.</param>
    public Task<OpenStore> Open(OpenOptions options, string address) => Start(
        options.Settings(new StoreSettings { Address = address, KeyPrefix = $"test{Interlocked.Increment(ref stores)}" }), options);

    public Task<OpenStore> OpenBeside(OpenStore opened, IStoreWatcher? watcher = null) =>
        Start(opened.Settings, new OpenOptions { Policy = opened.Policy, Watcher = watcher });

    protected abstract Task StartRedis();

    protected abstract Task StopRedis();

    private async Task<OpenStore> Start(StoreSettings settings, OpenOptions options)
    {
        var opened = new OpenStore(settings, options.Policy, Read);
        try
        {
            if (options.Watcher is { } watcher)
            {
                opened.Get<IStoreProbe>().Tell(watcher);
            }

            var listening = await Listening(settings);
            await opened.Get<RedisConnection>().Open(CancellationToken.None);
            if (options.Watcher is not null)
            {
                await Eventually.True(async () => await Listening(settings) > listening, ListenPatience, "the store listens");
            }

            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many processes are told of their leases' ends: the last that each listens to.</summary>
    private async Task<int> Listening(StoreSettings settings)
    {
        var pattern = RedisChannel.Pattern($"{settings.KeyPrefix}:ends:*");
        return (await Task.WhenAll(Operator.GetServers().Select(server => server.SubscriptionChannelsAsync(pattern)))).Sum(channels => channels.Length);
    }

    private async Task<IReadOnlyList<string>> Read(StoreSettings settings, TimeProvider clock)
    {
        var lines = new StoredLines(clock.GetUtcNow());
        var redis = Operator.GetDatabase();
        var keys = Primaries.ToAsyncEnumerable().SelectMany(server => server.KeysAsync(pattern: $"{{{settings.KeyPrefix}:*"));

        // The order of a scan changes as Redis's tables grow.
        await foreach (var key in keys.OrderBy(key => key.ToString(), StringComparer.Ordinal))
        {
            var whole = key.ToString();
            var name = whole[(whole.IndexOf("}:", StringComparison.Ordinal) + 2)..];
            var expiry = await redis.KeyExpireTimeAsync(key);
            var expiresAt = expiry is { } at ? new DateTimeOffset(at).ToUnixTimeMilliseconds() : (long?)null;
            switch (await redis.KeyTypeAsync(key))
            {
                case RedisType.Hash when name == "counts" || (name.StartsWith("counts:", StringComparison.Ordinal) && expiresAt is not null):
                    Array.ForEach(
                        await redis.HashGetAllAsync(key),
                        count => lines.Count(count.Name!, name == "counts", (long)count.Value));
                    break;
                case RedisType.Hash when name == "layout":
                    break;
                case RedisType.Hash when expiresAt is null:
                    Array.ForEach(
                        await redis.HashGetAllAsync(key),
                        field => lines.Field(name, field.Name!, field.Value!));
                    break;
                case RedisType.String when name.StartsWith("refused:", StringComparison.Ordinal):
                    // By which a refusal that is sent again is known, for seconds.
                    break;
                case RedisType.String when name.StartsWith("result:", StringComparison.Ordinal):
                    // What it says is read through the repository.
                    lines.Other(name);
                    break;
                case RedisType.String when name != "probe":
                    lines.Mark(name, (await redis.StringGetAsync(key))!, expiresAt);
                    break;
                case RedisType.Stream:
                    Array.ForEach(await redis.StreamRangeAsync(key), entry => AddEntry(lines, name, entry));
                    break;
                case RedisType.SortedSet when expiresAt is null:
                    Array.ForEach(
                        await redis.SortedSetRangeByRankWithScoresAsync(key),
                        entry => lines.Entry(name, entry.Element!, (long)entry.Score));
                    break;
                default:
                    lines.Other(name);
                    break;
            }
        }

        return lines.All;
    }

    private static void AddEntry(StoredLines lines, string name, StreamEntry entry)
    {
        if (name is "events" or "refusals")
        {
            lines.Event(name, entry["event"]!);
        }
        else
        {
            lines.Entry(name, $"{entry.Values[0].Name} {entry.Values[0].Value}", long.Parse(entry.Id.ToString().Split('-')[0], CultureInfo.InvariantCulture));
        }
    }
}
