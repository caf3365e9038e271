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
            return (next ??= LookForAll()).WaitAsync(cancellation);
        }
    }

    /// <summary>In nobody's context: it is no part of the call of whoever asked first.</summary>
    private Task<IReadOnlyList<string>> LookForAll()
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Look();
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
