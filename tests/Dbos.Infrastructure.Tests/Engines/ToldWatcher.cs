using System.Collections.Concurrent;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>Remembers what the store told of its own accord.</summary>
public sealed class ToldWatcher : IStoreWatcher
{
    private readonly ConcurrentQueue<string> told = [];

    public IReadOnlyList<string> Told => [.. told];

    public bool IsWaitedOn => true;

    public void Due(Turn turn) => told.Enqueue($"{turn.LaneName} due {turn.Due}");

    public void Ended(string taskId, long leaseToken) => told.Enqueue($"{taskId} {leaseToken} ended");

    public void Missed()
    {
    }
}
