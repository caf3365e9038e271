using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>
/// Proves that what a primary did is with its replicas too, so that it survives the primary. A primary's history has an id that
/// changes when another takes over; a proof is that the history is still the one of before the command, and that enough
/// replicas have it up to an offset of after the command.
/// </summary>
/// <remarks>
/// WAIT alone proves less: it speaks of the writes of its own connection, and after a reconnect there are none.
/// It goes over a connection of its own, which it blocks.
/// </remarks>
public sealed class Replication(StoreSettings settings) : IAsyncDisposable
{
    /// <summary>For one WAIT, and for all the trials of a proof.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly Lazy<Task<ConnectionMultiplexer>> connecting = new(() => Connect(settings.Address));

    private readonly ConcurrentDictionary<EndPoint, Rounds> rounds = [];
    private ImmutableDictionary<EndPoint, string> histories = ImmutableDictionary<EndPoint, string>.Empty;

    /// <summary>Runs a command, and answers when what it did, and what it saw, is with the replicas.</summary>
    /// <param name="mark">A key of the partition that the command is for, to be written.</param>
    /// <exception cref="BriefOutageException">Another primary has taken over since.</exception>
    /// <exception cref="StoreUnavailableException">Too few replicas have it.</exception>
    public async Task<TResult> Proven<TAsk, TResult>(RedisKey mark, TAsk ask, Func<TAsk, Task<TResult>> command)
    {
        var redis = await connecting.Value;
        if (!histories.ContainsKey(redis.GetServer(mark).EndPoint))
        {
            await HistoryOf(mark, redis);
        }

        var before = histories;
        var answer = await command(ask);
        var (primary, history) = await HistoryOf(mark, redis);
        return before.GetValueOrDefault(primary) == history ? answer : throw TakenOver();
    }

    public async ValueTask DisposeAsync()
    {
        if (connecting.IsValueCreated)
        {
            await (await connecting.Value).DisposeAsync();
        }
    }

    private static Task<ConnectionMultiplexer> Connect(string address)
    {
        var options = RedisConnection.Options(address);

        // The client takes INFO for an administrator's command.
        options.AllowAdmin = true;
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    private static BriefOutageException TakenOver(Exception? cause = null) => new("another primary has taken over", cause, mayBeDone: true);

    /// <summary>Whose history it is, and which, once enough replicas have all of it up to now.</summary>
    private async Task<(EndPoint Primary, string History)> HistoryOf(RedisKey mark, ConnectionMultiplexer redis)
    {
        try
        {
            var primary = redis.GetServer(mark);
            var history = await rounds.GetOrAdd(primary.EndPoint, _ => new Rounds()).Next(() => Round(mark, primary, redis.GetDatabase()));
            ImmutableInterlocked.AddOrUpdate(ref histories, primary.EndPoint, history, (_, _) => history);
            return (primary.EndPoint, history);
        }
        catch (Exception error) when (error is RedisServerException or RedisConnectionException)
        {
            // Whatever became of the round, the command itself may be done.
            throw TakenOver(error);
        }
        catch (Exception error) when (RedisErrors.OutageOf(error) is { } outage)
        {
            throw outage;
        }
    }

    private async Task<string> Round(RedisKey mark, IServer primary, IDatabase redis)
    {
        var since = Stopwatch.GetTimestamp();
        do
        {
            // Sent one behind the other: a write of this connection, so that WAIT asks the replicas how far they are.
            var before = primary.InfoRawAsync("replication");
            var write = redis.StringSetAsync(mark, 1, TimeSpan.FromMinutes(1));
            var wait = primary.ExecuteAsync("WAIT", settings.Replicas, (int)Patience.TotalMilliseconds);
            var after = primary.InfoRawAsync("replication");
            await Task.WhenAll(before, write, wait, after);

            var (start, end) = (ReplicationInfo.Read((await before)!), ReplicationInfo.Read((await after)!));
            if (!start.IsPrimary || !end.IsPrimary || start.History != end.History)
            {
                throw TakenOver();
            }

            if (end.ReplicaOffsets.Count(offset => offset >= start.Offset) >= settings.Replicas)
            {
                return end.History;
            }
        }
        while (Stopwatch.GetElapsedTime(since) < Patience);
        throw new StoreUnavailableException("too few replicas have it");
    }

    /// <summary>One at a time: all who ask while one is under way share the next.</summary>
    private sealed class Rounds
    {
        private readonly Lock gate = new();
        private Task running = Task.CompletedTask;
        private Task<string>? next;

        /// <summary>A round that begins after this call.</summary>
        public Task<string> Next(Func<Task<string>> round)
        {
            lock (gate)
            {
                return next ??= Follow(running, round);
            }
        }

        private async Task<string> Follow(Task before, Func<Task<string>> round)
        {
            await Task.Yield();
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (gate)
            {
                running = next!;
                next = null;
            }

            return await round();
        }
    }
}

/// <summary>What INFO replication says of a server.</summary>
/// <param name="History">Changes when another server takes over.</param>
/// <param name="Offset">How far the history goes.</param>
/// <param name="ReplicaOffsets">How far each replica said that it has it.</param>
internal sealed record ReplicationInfo(bool IsPrimary, string History, long Offset, IReadOnlyList<long> ReplicaOffsets)
{
    public static ReplicationInfo Read(string info)
    {
        var lines = info.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':', 2)).ToDictionary(line => line[0], line => line[1]);
        return new ReplicationInfo(
            lines["role"] == "master",
            lines["master_replid"],
            Number(lines["master_repl_offset"]),
            [.. lines.Where(IsOnline).Select(line => OffsetOf(line.Value))]);
    }

    private static bool IsOnline(KeyValuePair<string, string> line) =>
        line.Key.StartsWith("slave", StringComparison.Ordinal) && line.Value.Contains("state=online", StringComparison.Ordinal);

    private static long OffsetOf(string replica) =>
        Number(replica.Split(',').Single(field => field.StartsWith("offset=", StringComparison.Ordinal))["offset=".Length..]);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
