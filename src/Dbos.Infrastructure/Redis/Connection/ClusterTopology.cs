using System.Diagnostics;
using System.Net;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// What the client library knows of a Redis Cluster: who serves which slot, and who is a primary. It reads that every few seconds, and learns
/// no roles from redirections, so that until then it sends nothing to a replica that was promoted. Whoever finds a server changing over
/// has it read at once.
/// </summary>
internal sealed class ClusterTopology
{
    /// <summary>Short against the time that a brief outage is waited out; each look is a few commands to each server.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private volatile View view = new(null, At: 0);
    private Task look = Task.CompletedTask;
    private long lookedAt;

    /// <summary>Who serves a key: in a cluster as its nodes said last, so that it may be dead by now. Null: nobody is known.</summary>
    public EndPoint? ServerOf(ConnectionMultiplexer client, RedisKey key)
    {
        var seen = view;
        if (Stopwatch.GetElapsedTime(seen.At) > BetweenLooks)
        {
            view = seen = new View(Told(client), Stopwatch.GetTimestamp());
        }

        return seen.Cluster is { } cluster ? cluster.GetBySlot(key)?.EndPoint : RedisConnection.PrimaryOf(client, key)?.EndPoint;
    }

    /// <summary>In the background, unless it was only just begun, or nobody changes over as there is no cluster.</summary>
    public void LookAgain(ConnectionMultiplexer client)
    {
        lock (gate)
        {
            if (!look.IsCompleted || Stopwatch.GetElapsedTime(lookedAt) < BetweenLooks || !IsCluster(client))
            {
                return;
            }

            lookedAt = Stopwatch.GetTimestamp();
            look = Look(client);
        }
    }

    public static bool IsCluster(IConnectionMultiplexer client) => client.GetServers().Any(server => server.ServerType == ServerType.Cluster);

    /// <summary>Rather by a node that is there than by one that is gone.</summary>
    private static ClusterConfiguration? Told(ConnectionMultiplexer client) => client.GetServers()
        .OrderByDescending(server => server.IsConnected)
        .Select(server => server.ClusterConfiguration)
        .FirstOrDefault(told => told is not null);

    private static async Task Look(ConnectionMultiplexer client)
    {
        try
        {
            await client.ConfigureAsync();
        }
        catch (Exception error) when (RedisErrors.OutageOf(error) is not null)
        {
            // Whoever asks next has it tried again.
        }
    }

    /// <param name="At">Stopwatch timestamp.</param>
    private sealed record View(ClusterConfiguration? Cluster, long At);
}
