using System.Globalization;

namespace Dbos.Testing;

/// <summary>A primary of a test's own and its replicas, on loopback; nobody fails them over.</summary>
public sealed class RedisReplicas : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

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
            await replica.Follow(all.Primary);
        }

        await all.WaitUntilInStep();
        return all;
    }

    /// <summary>Every replica has what the primary has, or will have it as soon as it is written.</summary>
    public Task<TimeSpan> WaitUntilInStep() => Eventually.True(
        async () =>
        {
            var told = await Primary.Ask("info", "replication");
            return told.Split("state=online").Length - 1 == Replicas.Count;
        },
        Patience,
        "every replica follows");

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
    /// <summary>Makes it a replica, which drops what it has.</summary>
    public static Task Follow(this RedisServer replica, RedisServer primary) =>
        replica.Order("replicaof", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture));

    /// <summary>Makes it a primary with what it has.</summary>
    public static Task Promote(this RedisServer replica) => replica.Order("replicaof", "no", "one");
}
