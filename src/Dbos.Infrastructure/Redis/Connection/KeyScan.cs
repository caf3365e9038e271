using System.Globalization;
using Dbos.Application;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>All keys of all primaries, slice by slice.</summary>
internal sealed class KeyScan(RedisConnection connection)
{
    private const int Slice = 1_000;

    /// <summary>Of every Redis Cluster.</summary>
    private const int Slots = 16_384;

    /// <param name="cursor">Of the slice before; null: from the start.</param>
    public async Task<(string[] Keys, string? Next)> Next(string pattern, string? cursor, CancellationToken cancellation)
    {
        var (servers, layout) = await Primaries(cancellation);
        var at = cursor?.Split(' ') ?? [layout, "0", "0"];
        if (servers.Count == 0 || at[0] != layout)
        {
            throw new StoreUnavailableException("Redis is not connected, or its keys have moved since the scan began");
        }

        var number = int.Parse(at[1], CultureInfo.InvariantCulture);
        var answer = (RedisResult[])(await connection.Ask(
            static (_, ask) => ask.server.ExecuteAsync("SCAN", ask.from, "MATCH", ask.pattern, "COUNT", Slice),
            (server: servers[number], from: at[2], pattern),
            cancellation))!;
        var next = (string)answer[0]! == "0" ? (Server: number + 1, Cursor: "0") : (Server: number, Cursor: (string)answer[0]!);
        return ((string[])answer[1]!, next.Server < servers.Count ? $"{layout} {next.Server} {next.Cursor}" : null);
    }

    /// <summary>The servers that hold keys, and in one word which holds what.</summary>
    private Task<(IReadOnlyList<IServer> Servers, string Layout)> Primaries(CancellationToken cancellation) => connection.Ask(
        static async (redis, isCluster) =>
        {
            IServer[] servers = [.. redis.Multiplexer.GetServers().Where(server => server is { IsConnected: true, IsReplica: false })];
            return isCluster && servers.Length > 0
                ? await PrimariesOfCluster(redis.Multiplexer, servers[0])
                : (servers, string.Join(',', servers.Select(server => server.EndPoint)));
        },
        connection.IsCluster,
        cancellation);

    /// <summary>
    /// All that serve slots, whether they answer or not, as nobody is to take a part of the keys for all. Each is asked which are its
    /// own, as the others hear of a move later.
    /// </summary>
    private static async Task<(IReadOnlyList<IServer> Servers, string Layout)> PrimariesOfCluster(IConnectionMultiplexer redis, IServer any)
    {
        var known = (await any.ClusterNodesAsync())!.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).Order();
        var views = await Task.WhenAll(known.Select(node => redis.GetServer(node.EndPoint!).ClusterNodesAsync()));
        ClusterNode[] nodes = [.. views.Select(view => view!.Nodes.Single(node => node.IsMyself))];
        if (nodes.Sum(node => node.Slots.Sum(range => range.To - range.From + 1)) != Slots)
        {
            throw new StoreUnavailableException("slots of the cluster are on their way");
        }

        return (
            [.. nodes.Select(node => redis.GetServer(node.EndPoint!))],
            string.Join(';', nodes.Select(node => $"{node.EndPoint}={string.Join(',', node.Slots)}")));
    }
}
