using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>A redis-server; each store in it has a key prefix of its own.</summary>
public sealed class RedisEngine : IEngine, IAsyncLifetime
{
    private static readonly string[] RecordFields = ["version", "document", "payload", "deliveries", "leased_until", "holder"];

    private static readonly TimeSpan ListenPatience = TimeSpan.FromSeconds(5);

    private int stores;

    public string[] ServerOptions { get; init; } = [];

    public RedisServer Server { get; private set; } = null!;

    /// <summary>A connection past the store, as an operator's own.</summary>
    public ConnectionMultiplexer Operator { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await RedisServer.Start(ServerOptions);
        Operator = await ConnectionMultiplexer.ConnectAsync($"{Server.Address},allowAdmin=true,abortConnect=false");
    }

    public async Task DisposeAsync()
    {
        await Operator.DisposeAsync();
        await Server.DisposeAsync();
    }

    public Task<OpenStore> Open(OpenOptions options) => Open(options, Server.Address);

    /// <param name="address">Where the store finds Redis, if not at once.</param>
    public Task<OpenStore> Open(OpenOptions options, string address) => Start(
        options.Settings(new StoreSettings { Address = address, KeyPrefix = $"test{Interlocked.Increment(ref stores)}" }), options);

    public Task<OpenStore> OpenBeside(OpenStore opened, IStoreWatcher? watcher = null) =>
        Start(opened.Settings, new OpenOptions { Policy = opened.Policy, Watcher = watcher });

    private async Task<OpenStore> Start(StoreSettings settings, OpenOptions options)
    {
        var opened = new OpenStore(settings, options.Policy, Read);
        try
        {
            if (options.Watcher is { } watcher)
            {
                opened.Port.Tell(watcher);
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
    private async Task<int> Listening(StoreSettings settings) =>
        (await Operator.GetServer(Server.Address).SubscriptionChannelsAsync(RedisChannel.Pattern($"{settings.KeyPrefix}:ends:*"))).Length;

    private async Task<IReadOnlyList<string>> Read(StoreSettings settings, TimeProvider clock)
    {
        var lines = new StoredLines(clock.GetUtcNow());
        var redis = Operator.GetDatabase();
        foreach (var key in Operator.GetServer(Server.Address).Keys(pattern: $"{{{settings.KeyPrefix}:*"))
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
                    Add(lines, name, (await redis.HashGetAllAsync(key)).ToDictionary());
                    break;
                case RedisType.String when name != "probe":
                    lines.Mark(name, (await redis.StringGetAsync(key))!, expiresAt);
                    break;
                case RedisType.SortedSet when expiresAt is null:
                    Array.ForEach(
                        await redis.SortedSetRangeByRankWithScoresAsync(key),
                        entry => lines.Entry(name, entry.Element!, (long)entry.Score));
                    break;
                case RedisType.List when expiresAt is null:
                    Array.ForEach(await redis.ListRangeAsync(key), told => lines.Event(name, told!));
                    break;
                default:
                    lines.Other(name);
                    break;
            }
        }

        return lines.All;
    }

    private static void Add(StoredLines lines, string name, Dictionary<RedisValue, RedisValue> fields)
    {
        fields.Keys.Select(field => field.ToString()).Should().BeSubsetOf(RecordFields, "a record has no other fields");
        lines.Record(
            name,
            (long)fields["version"],
            fields["document"]!,
            fields.GetValueOrDefault("payload"),
            (long)fields.GetValueOrDefault("deliveries", 0),
            fields.TryGetValue("leased_until", out var until) ? (long)until : null,
            fields.ContainsKey("holder"));
    }
}
