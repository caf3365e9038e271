using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// The one multiplexed connection. While Redis is away every call fails at once: nothing queues up behind
/// an outage.
/// </summary>
public sealed class RedisConnection(StoreSettings settings, RedisClock clock, ILogger<RedisConnection> logger)
    : IStoreConnection, IAsyncDisposable
{
    private const int PartitionsOfCluster = 64;
    private static readonly Script LayoutScript = new("layout");

    private readonly List<(string Channel, Action<string> Heard)> listeners = [];
    private readonly ClusterTopology topology = new();
    private volatile RedisKeys? keys;
    private Sentinels? sentinels;
    private volatile ConnectionMultiplexer? connection;
    private volatile bool isOpen;
    private Action? broken;
    private Task? connecting;

    /// <summary>Refuses a configuration string that cannot be read.</summary>
    public static ConfigurationOptions Options(string address)
    {
        var options = ConfigurationOptions.Parse(address);
        options.Defaults = new RedisDefaults();
        options.ClientName ??= "dbos";
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;

        // CLUSTER NODES counts as such a command; no other is asked.
        options.AllowAdmin = true;
        return options;
    }

    /// <summary>Without a password, should there be one.</summary>
    public string Name => $"Redis at {string.Join(", ", Options(settings.Address).EndPoints)}";

    /// <summary>The client goes on to connect by itself: a further trial finds it connected or not.</summary>
    public async Task Open(CancellationToken cancellation)
    {
        await Connected();
        await CheckLayout();
        isOpen = true;
    }

    public bool IsOpen => isOpen;

    /// <summary>Lets no call through until it is opened again.</summary>
    public void Close() => isOpen = false;

    /// <param name="fields">As layout.lua answers them: none where the store was never used.</param>
    public static StoreLayout? LayoutOf(ReadOnlySpan<RedisValue> fields)
    {
        const int FromBeforeItWasRecorded = 1;
        return fields[0].IsNull
            ? null
            : new StoreLayout((int)fields[0], fields[1].IsNull ? FromBeforeItWasRecorded : (int)fields[1], fields[2]);
    }

    /// <summary>To be called as soon as there is the answer.</summary>
    /// <param name="answer">Begins as layout.lua answers.</param>
    /// <exception cref="LayoutMismatchException">The store is not laid out as configured.</exception>
    public void CheckAnswer(RedisValue[] answer)
    {
        clock.Set((long)answer[3], (long)answer[4]);
        if (LayoutOf(answer) is { } layout)
        {
            layout.CheckServable(settings, keys?.Partitions ?? settings.Partitions);
            if (keys is null)
            {
                LayOut(layout.Partitions);
            }
        }
    }

    /// <summary>
    /// How many partitions a store gets that is laid out anew. Where one server has them all, each costs every take and list a script and
    /// gives nothing (docs/decisions/0016-redis-cluster.md).
    /// </summary>
    public int PartitionsOfNew => settings.Partitions ?? (IsCluster ? PartitionsOfCluster : 1);

    /// <summary>The keys of the store as it is laid out.</summary>
    /// <exception cref="StoreUnavailableException">Redis has not answered yet.</exception>
    public RedisKeys Keys => keys ?? throw NotReady();

    /// <summary>From now on the store has so many partitions.</summary>
    public void LayOut(int partitions) => keys = new RedisKeys(settings.KeyPrefix, partitions);

    /// <summary>Connects if Redis is there, and lets calls through however the store is laid out.</summary>
    public async Task OpenUnchecked()
    {
        if (!isOpen)
        {
            await Connected();
            isOpen = connection is not null;
        }
    }

    /// <summary>
    /// Asks Redis one thing. Every way in which it may fail to answer is the same outage to a caller. What was
    /// sent cannot be taken back, so a caller that gives up later only stops listening.
    /// </summary>
    public Task<TResult> Ask<TAsk, TResult>(Func<IDatabase, TAsk, Task<TResult>> command, TAsk ask, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Ask(isOpen ? connection : null, command, ask);
    }

    /// <summary>True: keys of two hash slots cannot be in one script.</summary>
    public bool IsCluster => connection is { } connected && ClusterTopology.IsCluster(connected);

    /// <summary>Who is to be asked for a partition, be it there or not; null: nobody is known.</summary>
    public EndPoint? ServerOf(int partition) => keys is { } known ? ServerOf(known.Of(partition, RedisKeys.Probe)) : null;

    /// <summary>Who is to be asked for this key; null: nobody is known.</summary>
    public EndPoint? ServerOf(RedisKey key) => connection is { } connected ? topology.ServerOf(connected, key) : null;

    /// <summary>Who is asked for this key now, which may be any node while its own is away; null: nobody is there.</summary>
    public static IServer? PrimaryOf(IConnectionMultiplexer connected, RedisKey key)
    {
        // First, as during an outage every call asks and an exception costs each as much as the rest of it.
        if (!connected.GetDatabase().IsConnected(key, CommandFlags.DemandMaster))
        {
            return null;
        }

        try
        {
            return connected.GetServer(key, flags: CommandFlags.DemandMaster);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>To be called before <see cref="Open"/>.</summary>
    public void Hear(string channel, Action<string> heard) => listeners.Add((channel, heard));

    /// <summary>To be called before <see cref="Open"/>. Until the client has subscribed again, what is published is missed.</summary>
    public void OnBreak(Action broke) => broken += broke;

    public async ValueTask DisposeAsync()
    {
        await (sentinels?.DisposeAsync() ?? default);
        await (connection?.DisposeAsync() ?? default);
    }

    private async Task<TResult> Ask<TAsk, TResult>(
        ConnectionMultiplexer? connected, Func<IDatabase, TAsk, Task<TResult>> command, TAsk ask)
    {
        if (connected is null)
        {
            throw NotReady();
        }

        try
        {
            return await command(connected.GetDatabase(), ask);
        }
        catch (Exception error) when (RedisErrors.OutageOf(error) is { } outage)
        {
            if (outage is BriefOutageException)
            {
                topology.LookAgain(connected);
            }

            throw outage;
        }
        catch (RedisServerException fault)
        {
            throw new InvalidOperationException("Redis refused a command", fault);
        }
    }

    private async Task CheckLayout()
    {
        // Only a server that answered has said whether it is one of a cluster's.
        if (connection is not { IsConnected: true })
        {
            throw NotReady();
        }

        var first = RedisKeys.OfFirst(settings.KeyPrefix);
        RedisKey[] names = [first.Of(0, RedisKeys.Layout), first.Scope(0)[1]];
        var answer = (RedisValue[])(await Ask(
            connection,
            static (redis, ask) => LayoutScript.Run(redis, ask.names, [ask.PartitionsOfNew, StoreLayout.CurrentSchema, StoreLayout.NewGeneration()]),
            (names, PartitionsOfNew)))!;
        CheckAnswer(answer);
    }

    private static StoreUnavailableException NotReady() => new("Redis is not ready");

    /// <summary>Once for all, unless it failed.</summary>
    private Task Connected() => connecting is { IsFaulted: false } ? connecting : connecting = Connect();

    private async Task Connect()
    {
        var options = Options(settings.Address);
        if (options.ServiceName is null)
        {
            await Use(options);
        }
        else
        {
            sentinels = await Sentinels.Follow(options, Use, logger);
        }
    }

    /// <summary>Connects, and from then on all that is asked goes there.</summary>
    private async Task Use(ConfigurationOptions options)
    {
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(options);
        multiplexer.ConnectionFailed += (_, _) => broken?.Invoke();
        foreach (var (channel, heard) in listeners)
        {
            // Subscribed for good: the client subscribes again after each reconnect. A queue, as only it keeps the order.
            var queue = await multiplexer.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel), CommandFlags.FireAndForget);
            queue.OnMessage(told => heard(told.Message!));
        }

        var before = connection;
        connection = multiplexer;
        if (before is not null)
        {
            await before.DisposeAsync();
            broken?.Invoke();
        }
    }
}
