using System.Globalization;
using System.Text.RegularExpressions;

namespace Dbos.Testing;

/// <summary>A primary of a test's own and its replicas, on loopback; nobody fails them over.</summary>
public sealed class RedisReplicas : IAsyncDisposable
{
    private RedisReplicas(RedisServer primary, IReadOnlyList<RedisServer> replicas) => (Primary, Replicas) = (primary, replicas);

    /// <summary>The one that was it first.</summary>
    public RedisServer Primary { get; }

    public IReadOnlyList<RedisServer> Replicas { get; }

    public static async Task<RedisReplicas> Start(int replicas)
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 1 + replicas).Select(_ => RedisServer.Start("--repl-diskless-sync-delay", "0")));
        var all = new RedisReplicas(servers[0], servers[1..]);
        foreach (var replica in all.Replicas)
        {
            await replica.Follow(all.Primary.Port);
        }

        await all.Primary.WaitUntilFollowed(replicas);
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Replicas.Prepend(Primary))
        {
            await server.DisposeAsync();
        }
    }
}

public static class RedisRoles
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Makes it a replica, which drops what it has.</summary>
    /// <param name="port">Of its primary, or of the way to it.</param>
    public static Task Follow(this RedisServer replica, int port) =>
        replica.Order("replicaof", "127.0.0.1", port.ToString(CultureInfo.InvariantCulture));

    /// <summary>So many replicas have what it has, and have said so.</summary>
    public static Task<TimeSpan> WaitUntilFollowed(this RedisServer primary, int replicas = 1) => Eventually.True(
        async () =>
        {
            // Of nothing written there is nothing to be said for ten seconds.
            await primary.Ask("publish", "followed", string.Empty);
            return Regex.Count(await primary.Ask("info", "replication"), "state=online,offset=[1-9]") == replicas;
        },
        Patience,
        "the replicas follow");

    /// <summary>Makes it a primary with what it has.</summary>
    public static Task Promote(this RedisServer replica) => replica.Order("replicaof", "no", "one");
}
