using System.Collections.Concurrent;
using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// Proves that what a primary did is with its replicas too, so that it survives the primary: the server that ran the
/// command is still the primary with the history that it had before, and enough replicas have that history up to
/// an offset of after the command.
/// </summary>
public sealed class Replication(StoreSettings settings) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<EndPoint, ReplicatedServer> servers = [];

    /// <summary>Runs a command on one server, and answers when what it did, and what it saw, is with that server's replicas.</summary>
    /// <param name="mark">A key of the partition that the command is for, to be written.</param>
    /// <param name="isRepeatable">False: what it does without a proof is of use to nobody, so it is not even sent while replicas are away.</param>
    /// <exception cref="BriefOutageException">It is not the primary, or not any more.</exception>
    /// <exception cref="StoreUnavailableException">Too few replicas have it.</exception>
    public async Task<TResult> Proven<TAsk, TResult>(
        IServer server, RedisKey mark, bool isRepeatable, TAsk ask, Func<IServer, TAsk, Task<TResult>> command)
    {
        var replicated = servers.GetOrAdd(server.EndPoint, static (address, settings) => new ReplicatedServer(address, settings), settings);
        var before = (isRepeatable ? replicated.History : replicated.FreshHistory) ?? await Prove(replicated, mark, mayBeDone: false);
        var answer = await command(server, ask);
        return await Prove(replicated, mark, mayBeDone: true) == before ? answer : throw TakenOver(cause: null, mayBeDone: true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values)
        {
            await server.DisposeAsync();
        }
    }

    /// <param name="mayBeDone">Whatever becomes of the proof, the command was sent.</param>
    private static async Task<string> Prove(ReplicatedServer server, RedisKey mark, bool mayBeDone)
    {
        try
        {
            return await server.Prove(mark) ?? throw TakenOver(cause: null, mayBeDone);
        }
        catch (Exception error) when (error is RedisServerException or RedisConnectionException)
        {
            throw TakenOver(error, mayBeDone);
        }
    }

    private static BriefOutageException TakenOver(Exception? cause, bool mayBeDone) => new("another primary takes over", cause, mayBeDone);
}
