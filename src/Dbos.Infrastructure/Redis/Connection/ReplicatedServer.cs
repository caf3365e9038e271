using System.Diagnostics;
using System.Globalization;
using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>A server that has, or had, replicas; over a connection of its own, which WAIT blocks.</summary>
/// <remarks>
/// WAIT alone proves less: it speaks of the writes of its own connection, of which there are none after a reconnect. So it only
/// makes the replicas tell how far they are; the proof is what the server says of them and of itself.
/// </remarks>
internal sealed class ReplicatedServer(EndPoint address, StoreSettings settings) : IAsyncDisposable
{
    /// <summary>Of replicas that are well, which answer within milliseconds. Twice this is what a proof may add to a command's own 2 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// A proof tells of the replicas for so long without being made again. Under load each follows the last within milliseconds;
    /// where nothing else is asked, whoever needs a fresh one waits for one more.
    /// </summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(100);

    private readonly Lazy<Task<ConnectionMultiplexer>> connecting = new(() => Connect(address, settings.Address));
    private readonly Lock gate = new();
    private Task running = Task.CompletedTask;
    private Task<string?>? next;
    private volatile Proof? last;

    /// <summary>The id of its history when it was proved last: another primary has another. Null: never yet.</summary>
    public string? History => last?.History;

    /// <summary>Likewise, if that was only just. Null: it was not, and its replicas may be away.</summary>
    public string? FreshHistory => last is { } proof && Stopwatch.GetElapsedTime(proof.At) < Fresh ? proof.History : null;

    /// <summary>
    /// The id of its history, once enough replicas have all of it up to now; null: it is not a primary, or another one than
    /// a moment ago. One round at a time: all who ask while one is under way share the next.
    /// </summary>
    public Task<string?> Prove(RedisKey mark)
    {
        lock (gate)
        {
            next ??= Round(running, mark);
            return next.WaitAsync(2 * Patience);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connecting.IsValueCreated)
        {
            await (await connecting.Value).DisposeAsync();
        }
    }

    /// <summary>To this one server, whatever others it knows of.</summary>
    private static Task<ConnectionMultiplexer> Connect(EndPoint address, string configuration)
    {
        var options = RedisConnection.Options(configuration);
        options.EndPoints.Clear();
        options.EndPoints.Add(address);
        options.ServiceName = null;
        options.CommandMap = CommandMap.Create(["CLUSTER", "SENTINEL", "SUBSCRIBE"], available: false);
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    private async Task<string?> Round(Task before, RedisKey mark)
    {
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            running = next!;
            next = null;
        }

        var server = (await connecting.Value).GetServer(address);
        var since = Stopwatch.GetTimestamp();
        do
        {
            var (start, end) = await Look(server, mark);
            if (!start.IsPrimary || !end.IsPrimary || start.History != end.History)
            {
                return null;
            }

            if (end.ReplicaOffsets.Count(offset => offset >= start.Offset) >= settings.Replicas)
            {
                last = new Proof(end.History, Stopwatch.GetTimestamp());
                return end.History;
            }
        }
        while (Stopwatch.GetElapsedTime(since) < Patience);
        throw new StoreUnavailableException(string.Create(CultureInfo.InvariantCulture, $"fewer than {settings.Replicas} replicas follow the primary"));
    }

    /// <summary>Before and after replicas were asked how far they are. Sent one behind the other.</summary>
    private async Task<(ReplicationInfo Start, ReplicationInfo End)> Look(IServer server, RedisKey mark)
    {
        var start = server.InfoRawAsync("replication");

        // A write of this connection, so that WAIT has something to wait for. As a script, since the client library refuses a plain
        // write to what it takes for a replica, and may be late to learn of a promotion.
        var write = server.ExecuteAsync("EVAL", ["redis.call('SET', KEYS[1], 1, 'EX', 60)", 1, mark], CommandFlags.NoRedirect);
        var wait = server.ExecuteAsync("WAIT", settings.Replicas, (int)Patience.TotalMilliseconds);
        var end = server.InfoRawAsync("replication");
        await Task.WhenAll(start, write, wait, end);
        return (ReplicationInfo.Read((await start)!), ReplicationInfo.Read((await end)!));
    }

    private sealed record Proof(string History, long At);
}
