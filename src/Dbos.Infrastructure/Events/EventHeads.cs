namespace Dbos.Infrastructure.Events;

/// <summary>Looks at the newest event of every log, once for all who wait, and only while somebody does.</summary>
public sealed class EventHeads(EventLogs logs, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private Task<IReadOnlyList<string>>? next;

    /// <summary>The ids, read after this was asked for; empty: the log is.</summary>
    public Task<IReadOnlyList<string>> Next(CancellationToken cancellation)
    {
        lock (gate)
        {
            return (next ??= Look()).WaitAsync(cancellation);
        }
    }

    private async Task<IReadOnlyList<string>> Look()
    {
        await Task.Delay(Interval, clock);
        lock (gate)
        {
            next = null;
        }

        return await logs.Heads(CancellationToken.None);
    }
}
