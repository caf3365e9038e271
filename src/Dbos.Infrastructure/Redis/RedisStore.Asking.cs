using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>How a command or a script reaches its primary: watched where somebody wants to see it, and proven where replicas must have it.</summary>
public sealed partial class RedisStore
{
    /// <param name="heard">Told the answer as soon as it is there, before it is proved.</param>
    private Task<RedisResult> Settled(
        int partition,
        Script script,
        RedisKey[] names,
        RedisValue[] values,
        CancellationToken cancellation,
        Action<RedisResult>? heard = null) =>
        settings.Replicas == 0
            ? Run(partition, script, names, values, cancellation, heard)
            : Proven(
                Script.Command,
                partition,
                static (server, ask) => ask.script.Run(server, ask.names, ask.values, ask.heard),
                (script, names, values, heard),
                cancellation,
                script.Name,
                script.IsRepeatable);

    private Task<RedisResult> Settled(int partition, string command, object[] words, CancellationToken cancellation) =>
        settings.Replicas == 0
            ? Ask(command, partition, static (redis, ask) => redis.ExecuteAsync(ask.command, ask.words, Primary), (command, words), cancellation)
            : Proven(
                command,
                partition,
                static (server, ask) => server.ExecuteAsync(ask.command, ask.words, CommandFlags.NoRedirect),
                (command, words),
                cancellation);

    /// <summary>
    /// For what a caller is told of as done, or decides on, where replicas must have it too: of the partition's primary and no
    /// other server, so that it is clear whose replicas.
    /// </summary>
    private Task<RedisResult> Proven<TAsk>(
        string operation,
        int partition,
        Func<IServer, TAsk, Task<RedisResult>> command,
        TAsk ask,
        CancellationToken cancellation,
        string? script = null,
        bool isRepeatable = true) =>
        Ask(
            operation,
            partition,
            static (redis, it) => it.replication.Proven(PrimaryOf(redis, it.mark), it.mark, it.isRepeatable, it.ask, it.command),
            (replication, mark: keys.Of(partition, "replicated"), isRepeatable, command, ask),
            cancellation,
            script);

    private static IServer PrimaryOf(IDatabase redis, RedisKey key) =>
        RedisConnection.PrimaryOf(redis.Multiplexer, key)
        ?? throw new BriefOutageException("no primary is connected", cause: null, mayBeDone: false);

    private Task<RedisResult> Run(
        int partition,
        Script script,
        RedisKey[] names,
        RedisValue[] values,
        CancellationToken cancellation,
        Action<RedisResult>? heard = null) =>
        Ask(
            Script.Command,
            partition,
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values, ask.heard),
            (script, names, values, heard),
            cancellation,
            script.Name);

    /// <param name="operation">The Redis command.</param>
    /// <param name="script">Its name, where it is one that the command runs.</param>
    private Task<TResult> Ask<TAsk, TResult>(
        string operation,
        int partition,
        Func<IDatabase, TAsk, Task<TResult>> command,
        TAsk ask,
        CancellationToken cancellation,
        string? script = null) => StoreOperation.IsWatched
            ? Watched(operation, script, partition, command, ask, cancellation)
            : connection.Ask(command, ask, cancellation);

    private async Task<TResult> Watched<TAsk, TResult>(
        string operation,
        string? script,
        int partition,
        Func<IDatabase, TAsk, Task<TResult>> command,
        TAsk ask,
        CancellationToken cancellation)
    {
        using var asked = StoreOperation.Begin("redis", operation, partition, script);
        if (asked is { HasSpan: true })
        {
            asked.TellServer(ServerOf(partition));
        }

        try
        {
            return await connection.Ask(command, ask, cancellation);
        }
        catch (Exception error)
        {
            asked?.Fail(error);
            throw;
        }
    }
}
