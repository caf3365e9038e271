using System.Diagnostics;

namespace Dbos.Testing;

/// <summary>Bounded waiting for something that another process does in its own time.</summary>
public static class Eventually
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    /// <returns>How long it took.</returns>
    /// <exception cref="TimeoutException">It did not come true in time.</exception>
    public static async Task<TimeSpan> True(Func<Task<bool>> condition, TimeSpan patience, string what)
    {
        var since = Stopwatch.StartNew();
        while (!await condition())
        {
            if (since.Elapsed > patience)
            {
                throw new TimeoutException($"not within {patience.TotalSeconds} s: {what}");
            }

            await Task.Delay(BetweenLooks);
        }

        return since.Elapsed;
    }

    public static Task<TimeSpan> True(Func<bool> condition, TimeSpan patience, string what) =>
        True(() => Task.FromResult(condition()), patience, what);
}
