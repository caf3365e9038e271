using System.Security.Cryptography;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>The channels on which processes are told what happens in the queue.</summary>
public sealed class TaskChannels(StoreSettings settings)
{
    /// <summary>This process, where it holds deliveries whose ends are to be reported to it.</summary>
    public string Holder { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>On which every process is told that a queue has something due, or soon: "unix-milliseconds agent:module".</summary>
    public string Due { get; } = $"{settings.KeyPrefix}:due";

    /// <summary>Begins the channels on which a process is told that its deliveries have ended: "lease-token task-id".</summary>
    public string EndsPrefix { get; } = $"{settings.KeyPrefix}:ends:";

    /// <summary>This process's own.</summary>
    public string Ends => EndsPrefix + Holder;
}
