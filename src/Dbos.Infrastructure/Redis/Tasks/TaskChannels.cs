using System.Security.Cryptography;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>The channels on which the queue's changes are published.</summary>
public sealed class TaskChannels(StoreSettings settings)
{
    /// <summary>This process, where it holds deliveries whose ends are to be reported to it.</summary>
    public string Holder { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Subscribed by every process: a queue has a task due, now or soon: "unix-milliseconds agent:module".</summary>
    public string Due { get; } = $"{settings.KeyPrefix}:due";

    /// <summary>Prefix of each process's own channel, for deliveries of it that ended: "lease-token task-id".</summary>
    public string EndsPrefix { get; } = $"{settings.KeyPrefix}:ends:";

    /// <summary>This process's own.</summary>
    public string Ends => EndsPrefix + Holder;
}
