using Dbos.Application;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>What an error of Redis, or of the way to it, means to a caller.</summary>
internal static class RedisErrors
{
    /// <summary>
    /// What a server says while a shard gets another primary, a slot another shard, or a restarted server its data:
    /// a moment later the same command may be served, here or elsewhere.
    /// </summary>
    private static readonly HashSet<string> Passing =
        ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "LOADING", "UNBLOCKED"];

    /// <summary>Null: it is a fault, of DBOS or of the store's data.</summary>
    public static StoreUnavailableException? OutageOf(Exception error) => error switch
    {
        // A script that is refused has written nothing: Redis looks for what forbids writing before the first write.
        RedisServerException refused when IsOutage(refused.Message) => Passing.Contains(WordOf(refused.Message)) || IsRedirection(refused.Message)
            ? new BriefOutageException("Redis is changing over", refused, mayBeDone: false)
            : new StoreUnavailableException("Redis cannot serve now", refused),
        RedisServerException => null,
        RedisConnectionException broken => new BriefOutageException(
            "the connection to Redis broke",
            broken,
            mayBeDone: broken.CommandStatus is not (CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog)),
        // The connection to a primary that is none any more was left.
        ObjectDisposedException left => new BriefOutageException("the connection to Redis was left for another", left, mayBeDone: true),
        RedisException or TimeoutException => new StoreUnavailableException("Redis did not answer", error),
        _ => null,
    };

    /// <summary>
    /// What a server says when it cannot serve now (LOADING, READONLY, OOM, MISCONF, CLUSTERDOWN, …)
    /// has a word of its own in front; ERR, WRONGTYPE and CROSSSLOT are faults of the command. That DBOS may not (NOAUTH, WRONGPASS,
    /// NOPERM) is the operator's to mend, and until then an outage to callers like any other.
    /// </summary>
    public static bool IsOutage(string message) => WordOf(message) is not ("ERR" or "WRONGTYPE" or "CROSSSLOT");

    /// <summary>write_rights.lua found that scripts may not write all that they must.</summary>
    public static bool IsMissingRight(StoreUnavailableException outage) =>
        outage.InnerException is RedisServerException refused && WordOf(refused.Message) == "NOPERM";

    /// <summary>A MOVED or ASK that the client library did not follow, or not twice, it tells in its own words.</summary>
    private static bool IsRedirection(string message) =>
        message.StartsWith("Key has MOVED ", StringComparison.Ordinal) || message.StartsWith("Endpoint ", StringComparison.Ordinal);

    /// <summary>Before 7.0 what a script's call was told stands behind the script's own error, after a dash.</summary>
    private static string WordOf(string message)
    {
        var behind = message.StartsWith("ERR Error running script", StringComparison.Ordinal)
            ? message.IndexOf(": -", StringComparison.Ordinal)
            : -1;
        var told = behind < 0 ? message : message[(behind + 3)..];
        return told.Split(' ', 2)[0];
    }
}
