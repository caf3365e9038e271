using System.Diagnostics;
using System.Globalization;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>
/// The one multiplexed connection. While Redis is away every call fails at once: nothing queues up behind
/// an outage.
/// </summary>
public sealed partial class RedisConnection(StoreSettings settings, RedisClock clock, ILogger<RedisConnection> logger)
    : IStoreConnection, IAsyncDisposable
{
    private static readonly TimeSpan BetweenTrials = TimeSpan.FromMilliseconds(500);

    private readonly List<(string Channel, Action<string> Heard)> listeners = [];
    private ConnectionMultiplexer? multiplexer;
    private Action? reconnected;
    private int away;

    /// <summary>Refuses a configuration string that cannot be read.</summary>
    public static ConfigurationOptions Options(string address)
    {
        var options = ConfigurationOptions.Parse(address);
        options.ClientName = "dbos";
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;

        // CLUSTER NODES counts as such a command; no other is asked.
        options.AllowAdmin = true;

        // Callers are promised UNAVAILABLE within 3 s. Late calls are looked for at every heartbeat, so the
        // patience with one is this and at most one heartbeat more; a second is left for the way back, as all
        // calls in flight end at once.
        options.AsyncTimeout = 1_500;
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);

        // Service is promised within 5 s of Redis's return.
        options.ConnectTimeout = 2_000;
        options.ReconnectRetryPolicy = new LinearRetry(500);
        return options;
    }

    /// <summary>Connects, however long it takes, and lets calls through once the store is known to be laid out as configured.</summary>
    /// <exception cref="LayoutMismatchException">It is not.</exception>
    public async Task Open(CancellationToken cancellation)
    {
        var connecting = await Connect();
        connecting.ConnectionFailed += (_, failure) => Lost(failure.FailureType.ToString());
        connecting.ConnectionRestored += (_, _) =>
        {
            Found();
            _ = TellReconnected(connecting.GetSubscriber());
        };
        if (!connecting.IsConnected)
        {
            Lost(nameof(ConnectionFailureType.UnableToConnect));
        }

        while (!await IsLaidOut(connecting.GetDatabase()))
        {
            await Task.Delay(BetweenTrials, cancellation);
        }

        foreach (var (channel, heard) in listeners)
        {
            // Subscribed for good: the client subscribes again after each reconnect. A queue, as only it keeps the order.
            var queue = await connecting.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel), CommandFlags.FireAndForget);
            queue.OnMessage(told => heard(told.Message!));
        }

        Volatile.Write(ref multiplexer, connecting);
        Found();
    }

    /// <summary>Connects if Redis is there, and lets calls through however the store is laid out.</summary>
    public async Task OpenUnchecked() => multiplexer ??= await Connect();

    /// <summary>
    /// Asks Redis one thing. Every way in which it may fail to answer is the same outage to a caller. What was
    /// sent cannot be taken back, so a caller that gives up later only stops listening.
    /// </summary>
    public async Task<TResult> Ask<TAsk, TResult>(
        Func<IDatabase, TAsk, Task<TResult>> command, TAsk ask, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var connected = Volatile.Read(ref multiplexer) ?? throw new StoreUnavailableException("Redis is not connected yet");
        try
        {
            return await command(connected.GetDatabase(), ask);
        }
        catch (Exception error) when (RedisErrors.OutageOf(error) is { } outage)
        {
            throw outage;
        }
        catch (RedisServerException fault)
        {
            throw new InvalidOperationException("Redis refused a command", fault);
        }
    }

    /// <summary>True: keys of two hash slots cannot be in one script.</summary>
    public bool IsCluster => Volatile.Read(ref multiplexer)?.GetServers().Any(server => server.ServerType == ServerType.Cluster) ?? false;

    /// <summary>A slice of all keys of all primaries.</summary>
    /// <param name="cursor">Of the slice before; null: from the start.</param>
    public async Task<(string[] Keys, string? Next)> Scan(string pattern, string? cursor, CancellationToken cancellation)
    {
        const int Slice = 1_000;
        var (servers, layout) = await Primaries(cancellation);
        var at = cursor?.Split(' ') ?? [layout, "0", "0"];
        if (servers.Count == 0 || at[0] != layout)
        {
            throw new StoreUnavailableException("Redis is not connected, or its keys have moved since the scan began");
        }

        var number = int.Parse(at[1], CultureInfo.InvariantCulture);
        var answer = (RedisResult[])(await Ask(
            static (_, ask) => ask.server.ExecuteAsync("SCAN", ask.from, "MATCH", ask.pattern, "COUNT", Slice),
            (server: servers[number], from: at[2], pattern),
            cancellation))!;
        var next = (string)answer[0]! == "0" ? (Server: number + 1, Cursor: "0") : (Server: number, Cursor: (string)answer[0]!);
        return ((string[])answer[1]!, next.Server < servers.Count ? $"{layout} {next.Server} {next.Cursor}" : null);
    }

    /// <summary>To be called before <see cref="Open"/>.</summary>
    public void Hear(string channel, Action<string> heard) => listeners.Add((channel, heard));

    /// <summary>To be called before <see cref="Open"/>: what was published meanwhile is missed.</summary>
    public void OnReconnect(Action again) => reconnected += again;

    /// <summary>Tells of an outage, once until it is over.</summary>
    public void Lost(string why)
    {
        if (Interlocked.Exchange(ref away, 1) == 0)
        {
            LogAway(string.Join(", ", Options(settings.Address).EndPoints), why);
        }
    }

    /// <summary>Tells that an outage is over.</summary>
    public void Found()
    {
        if (multiplexer is { IsConnected: true } && Interlocked.Exchange(ref away, 0) == 1)
        {
            LogBack();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (multiplexer is not null)
        {
            await multiplexer.DisposeAsync();
        }
    }

    /// <summary>Not before the subscriptions are there again: what is published until then is missed too.</summary>
    private async Task TellReconnected(ISubscriber subscriber)
    {
        try
        {
            // Sent behind the subscriptions, on their connection.
            await subscriber.PingAsync();
        }
        catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException)
        {
            // It is gone again, or slow: better told early than never.
        }

        reconnected?.Invoke();
    }

    private Task<ConnectionMultiplexer> Connect() => ConnectionMultiplexer.ConnectAsync(Options(settings.Address));

    /// <summary>
    /// The servers that hold keys, and in one word which holds what. Of a cluster they are all that serve slots,
    /// whether they answer or not: nobody is to take a part of the keys for all.
    /// </summary>
    private async Task<(IReadOnlyList<IServer> Servers, string Layout)> Primaries(CancellationToken cancellation)
    {
        var connected = Volatile.Read(ref multiplexer) ?? throw new StoreUnavailableException("Redis is not connected yet");
        IServer[] servers = [.. connected.GetServers().Where(server => server is { IsConnected: true, IsReplica: false })];
        if (!IsCluster || servers.Length == 0)
        {
            return (servers, string.Join(',', servers.Select(server => server.EndPoint)));
        }

        var cluster = await Ask(static (_, server) => server.ClusterNodesAsync(), servers[0], cancellation);
        ClusterNode[] nodes = [.. cluster!.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).Order()];
        return (
            [.. nodes.Select(node => connected.GetServer(node.EndPoint!))],
            string.Join(';', nodes.Select(node => $"{node.EndPoint}={string.Join(',', node.Slots)}")));
    }

    private async Task<bool> IsLaidOut(IDatabase redis)
    {
        try
        {
            var asked = Stopwatch.GetTimestamp();
            var keys = new RedisKeys(settings.KeyPrefix, settings.Partitions);
            var answer = (RedisValue[])(await Script.Layout.Run(
                redis, [keys.Of(0, RedisKeys.Layout)], [settings.Partitions, StoreLayout.CurrentSchema]))!;
            clock.Hear((long)answer[3], (long)answer[4], asked);
            RedisAnswers.LayoutOf(answer)!.CheckServable(settings);
            return true;
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            Lost(nameof(ConnectionFailureType.UnableToConnect));
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Redis at {Address} is away ({Why}); calls are answered UNAVAILABLE, and DBOS keeps trying")]
    private partial void LogAway(string address, string why);

    [LoggerMessage(LogLevel.Information, "Redis is back")]
    private partial void LogBack();
}
