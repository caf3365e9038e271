using System.Security.Cryptography;
using System.Diagnostics;
using System.Globalization;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// The partitions of the store in Redis, and the way to them: every script and every read goes through here, with retries,
/// a circuit for each server, spans, and, where replicas must have it too, the proof that they do.
/// </summary>
public sealed partial class RedisPartitions(
    RedisConnection connection, Replication replication, Resilience resilience, StoreSettings settings, ILogger<RedisPartitions> logger)
{
    private static readonly TimeSpan BetweenWarnings = TimeSpan.FromSeconds(10);
    private const CommandFlags Primary = CommandFlags.DemandMaster;

    private long warnedAt;

    /// <exception cref="StoreUnavailableException">Redis has not answered yet.</exception>
    public int Count => Keys.Partitions;

    private RedisKeys Keys => connection.Keys;

    public IEnumerable<int> All => Enumerable.Range(0, Count);

    /// <summary>The partition of an id: the same on every replica and in every release.</summary>
    public int Of(string id) => Partitioning.PartitionOf(id, Count);

    public RedisKey Key(int partition, string name) => Keys.Of(partition, name);

    /// <summary>The share of a partition in what is kept over all of them, rounded up.</summary>
    public int ShareOf(int overAll) => (overAll + Count - 1) / Count;

    /// <summary>An operation id that is new: a script that is sent again recognizes by it what it has done.</summary>
    public static string NewOperation() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>The first arguments of a script that writes: the cap of the event log, and an operation id that is new.</summary>
    /// <param name="capacity">How many arguments follow.</param>
    public List<RedisValue> NewWrite(int capacity)
    {
        var values = new List<RedisValue>(capacity + 2) { ShareOf(settings.EventRetention), NewOperation() };
        return values;
    }

    /// <summary>The operation id that the list of arguments begins with.</summary>
    public static RedisValue OperationOf(List<RedisValue> values) => values[1];

    /// <summary>
    /// Runs a script that writes and ends with finish(). After a brief outage it is sent again with the same operation id, by which it
    /// recognizes what it has done already.
    /// </summary>
    /// <param name="cost">In permits of this kind of work.</param>
    /// <exception cref="StoreUnavailableException">Redis did not answer; whether the script ran is unknown.</exception>
    public Task<ScriptAnswer> Write(
        Script script,
        int partition,
        List<RedisValue> values,
        CancellationToken cancellation,
        StoreWork work = StoreWork.Write,
        int cost = 1) =>
        resilience.Run(
            script.IsRepeatable ? resilience.Repeatable : resilience.Once,
            partition,
            work,
            cost,
            static (sending, token) => sending.Run(token),
            new Sending(this, script, partition, [.. values]),
            cancellation);

    /// <summary>Runs a script that writes nothing.</summary>
    /// <param name="cost">In permits of this kind of work.</param>
    public Task<RedisResult> Read(
        Script script,
        int partition,
        RedisValue[] values,
        CancellationToken cancellation,
        StoreWork work = StoreWork.Read,
        int cost = 1) =>
        resilience.Run(
            resilience.Repeatable,
            partition,
            work,
            cost,
            static (it, token) => it.partitions.RunOnce(it.script, it.partition, it.partitions.Keys.Scope(it.partition), it.values, null, token),
            (partitions: this, script, partition, values),
            cancellation);

    /// <summary>Runs a command that reads one key.</summary>
    /// <param name="cost">In permits of reads.</param>
    public Task<RedisResult> Read(int partition, string command, object[] words, CancellationToken cancellation, int cost = 1) =>
        resilience.Run(
            resilience.Repeatable,
            partition,
            StoreWork.Read,
            cost,
            static (it, token) => it.partitions.Ask(
                it.command,
                it.partition,
                static (redis, ask) => redis.ExecuteAsync(ask.command, ask.words, Primary),
                static (server, ask) => server.ExecuteAsync(ask.command, ask.words, CommandFlags.NoRedirect),
                (it.command, it.words),
                token),
            (partitions: this, partition, command, words),
            cancellation);

    /// <summary>Runs a script with keys of its own, once, past circuits and retries: for the probe that closes the circuits.</summary>
    /// <param name="heard">Receives the answer as soon as it is there; null: nobody.</param>
    internal Task<RedisResult> RunOnce(
        Script script, int partition, RedisKey[] names, RedisValue[] values, Action<RedisResult>? heard, CancellationToken cancellation) =>
        Ask(
            Script.Command,
            partition,
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values, ask.heard),
            static (server, ask) => ask.script.Run(server, ask.names, ask.values, ask.heard),
            (script, names, values, heard),
            cancellation,
            script.Name,
            script.IsRepeatable);

    /// <param name="onPrimary">Where no proof is asked for.</param>
    /// <param name="onServer">Where replicas must have it too: on one server, so that it is clear whose replicas.</param>
    private async Task<RedisResult> Ask<TAsk>(
        string command,
        int partition,
        Func<IDatabase, TAsk, Task<RedisResult>> onPrimary,
        Func<IServer, TAsk, Task<RedisResult>> onServer,
        TAsk ask,
        CancellationToken cancellation,
        string? script = null,
        bool isRepeatable = true)
    {
        using var operation = StoreOperation.Begin("redis", command, partition, script);
        if (operation is { HasSpan: true })
        {
            operation.TellServer(connection.ServerOf(Keys.Of(partition, RedisKeys.Probe)));
        }

        try
        {
            return await (settings.Replicas == 0
                ? connection.Ask(onPrimary, ask, cancellation)
                : connection.Ask(
                    static (redis, it) => it.replication.Proven(PrimaryOf(redis, it.mark), it.mark, it.isRepeatable, it.ask, it.onServer),
                    (replication, mark: Keys.Of(partition, "replicated"), isRepeatable, ask, onServer),
                    cancellation));
        }
        catch (Exception error)
        {
            operation?.Fail(error);
            throw;
        }
    }

    private void WarnOfLateError(Script script, string error)
    {
        var last = Volatile.Read(ref warnedAt);
        if ((last == 0 || Stopwatch.GetElapsedTime(last) > BetweenWarnings)
            && Interlocked.CompareExchange(ref warnedAt, Stopwatch.GetTimestamp(), last) == last)
        {
            LogLateError(script.Name, error);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Script {Script} committed, but an event, a counter or a message of it was not written: {Error}")]
    private partial void LogLateError(string script, string error);

    private static IServer PrimaryOf(IDatabase redis, RedisKey key) =>
        RedisConnection.PrimaryOf(redis.Multiplexer, key)
        ?? throw new BriefOutageException("no primary is connected", cause: null, mayBeDone: false);

    /// <summary>One script with its arguments, sent until there is an answer.</summary>
    private sealed class Sending(RedisPartitions partitions, Script script, int partition, RedisValue[] values)
    {
        private bool mayHaveRun;

        public async Task<ScriptAnswer> Run(CancellationToken cancellation)
        {
            try
            {
                var answer = (RedisResult[])(await partitions.RunOnce(script, partition, partitions.Keys.Scope(partition), values, null, cancellation))!;
                if ((string?)answer[^1] is { Length: > 0 } error)
                {
                    partitions.WarnOfLateError(script, error);
                }

                return new ScriptAnswer(answer.AsMemory(..^1), mayHaveRun);
            }
            catch (BriefOutageException outage)
            {
                mayHaveRun |= outage.MayBeDone;
                throw;
            }
        }
    }
}

/// <summary>What a script that writes answered.</summary>
/// <param name="Items">In the order of what was asked.</param>
/// <param name="MayHaveRunBefore">
/// An earlier trial may have done it. What it refuses now may be refused because others wrote after that trial, so the caller
/// cannot be told that nothing was done.
/// </param>
public readonly record struct ScriptAnswer(ReadOnlyMemory<RedisResult> Items, bool MayHaveRunBefore);
