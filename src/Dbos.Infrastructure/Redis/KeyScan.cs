using System.Globalization;
using Dbos.Application;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>All keys of all primaries, slice by slice.</summary>
internal sealed class KeyScan(RedisConnection connection)
{
    private const int Slice = 1_000;

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

    /// <summary>
    /// The servers that hold keys, and in one word which holds what. Of a cluster they are all that serve slots,
    /// whether they answer or not: nobody is to take a part of the keys for all.
    /// </summary>
    private Task<(IReadOnlyList<IServer> Servers, string Layout)> Primaries(CancellationToken cancellation) => connection.Ask(
        static async (redis, isCluster) =>
        {
            IServer[] servers = [.. redis.Multiplexer.GetServers().Where(server => server is { IsConnected: true, IsReplica: false })];
            if (!isCluster || servers.Length == 0)
            {
                return ((IReadOnlyList<IServer>)servers, string.Join(',', servers.Select(server => server.EndPoint)));
            }

            var cluster = await servers[0].ClusterNodesAsync();
            ClusterNode[] nodes = [.. cluster!.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).Order()];
            return (
                [.. nodes.Select(node => redis.Multiplexer.GetServer(node.EndPoint!))],
                string.Join(';', nodes.Select(node => $"{node.EndPoint}={string.Join(',', node.Slots)}")));
        },
        connection.IsCluster,
        cancellation);
}
