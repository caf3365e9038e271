using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class StateChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var stored = final.States.ToDictionary(Subjects.Of);
        var told = final.Events.Where(told => told.Type == LoggedEvent.StateUpdated).ToLookup(told => told.Subject, told => told.Number);
        foreach (var reports in calls.BySubject(Method.SetModuleState))
        {
            var state = stored.GetValueOrDefault(reports.Key);
            var acknowledged = reports.Where(call => call.IsAcknowledged).ToArray();
            foreach (var sentence in Lost(acknowledged, state))
            {
                yield return new Violation(Promise.AcknowledgedWriteLost, $"state {reports.Key} {sentence}");
            }

            foreach (var sentence in Misnumbered(acknowledged, [.. told[reports.Key]], state?.Version ?? 0))
            {
                yield return new Violation(Promise.VersionSkippedOrRepeated, $"state {reports.Key} {sentence}");
            }
        }
    }

    private static IEnumerable<string> Lost(Call[] acknowledged, ModuleState? state)
    {
        var version = state?.Version ?? 0;
        var latest = acknowledged.Select(call => call.Number).DefaultIfEmpty().Max();
        if (latest > version)
        {
            yield return $"was acknowledged at version {latest}, and is at {version}";
        }

        if (state is not null && acknowledged.Any(call => call.Number == version && call.Content != Content.Of(state)))
        {
            yield return $"has other content at version {version} than was acknowledged";
        }
    }

    private static IEnumerable<string> Misnumbered(Call[] acknowledged, long[] told, long version)
    {
        var done = acknowledged.Where(call => call.IsDone).ToArray();
        foreach (var (number, times) in done.CountBy(call => call.Number).Where(count => count.Value > 1))
        {
            yield return $"was given version {number} {times} times";
        }

        foreach (var (number, times) in told.CountBy(number => number).Where(count => count.Value > 1))
        {
            yield return $"was given version {number} {times} times, as the event log tells";
        }

        // What an acknowledged call did and no event tells of is a missing event, not a skipped version.
        var known = told.Concat(acknowledged.Select(call => call.Number)).ToHashSet();
        for (var number = 1; number <= version; number++)
        {
            if (!known.Contains(number))
            {
                yield return $"is at version {version} and never was at {number}";
            }
        }

        foreach (var number in told.Where(number => number > version))
        {
            yield return $"is at version {version}, and the event log tells of {number}";
        }

        foreach (var back in BackInTime(done))
        {
            yield return back;
        }
    }

    /// <summary>A report that began when another had been answered comes after it.</summary>
    private static IEnumerable<string> BackInTime(Call[] done)
    {
        var byEnd = new Queue<Call>(done.OrderBy(call => call.Ended));
        Call? latest = null;
        foreach (var call in done.OrderBy(call => call.Started))
        {
            while (byEnd.TryPeek(out var earlier) && earlier.Ended < call.Started)
            {
                latest = latest is null || earlier.Number > latest.Number ? earlier : latest;
                byEnd.Dequeue();
            }

            // The same number twice is told above.
            if (latest is not null && latest.Number > call.Number)
            {
                yield return $"was given version {call.Number} after {latest.Number}";
            }
        }
    }
}
