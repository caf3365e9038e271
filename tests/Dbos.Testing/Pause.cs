namespace Dbos.Testing;

public static class Pause
{
    /// <returns>False: it was told to stop meanwhile.</returns>
    public static async Task<bool> For(TimeSpan length, CancellationToken stop)
    {
        await Task.Delay(length, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }
}
