using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class StateChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var stored = final.States.ToDictionary(Subjects.Of);
        var told = final.Events.Where(told => told.Type == LoggedEvent.StateUpdated).ToLookup(told => told.Subject, told => told.Number);
        foreach (var about in calls.BySubject(Method.SetModuleState, Method.ListModuleStates))
        {
            var state = stored.GetValueOrDefault(about.Key);
            var reports = about.Where(call => call.Method == Method.SetModuleState && call.IsAcknowledged).ToArray();
            var reads = about.Where(call => call.Method == Method.ListModuleStates && call.IsAcknowledged).ToArray();
            foreach (var (promise, sentence) in (IEnumerable<(Promise, string)>)[
                .. Lost(reports, state).Select(sentence => (Promise.AcknowledgedWriteLost, sentence)),
                .. Misnumbered(reports, [.. told[about.Key]], state?.Version ?? 0).Select(sentence => (Promise.VersionSkippedOrRepeated, sentence)),
                .. Back([.. reports, .. reads], reads).Select(back => (Promise.StaleRead, $"was read at version {back.Later.Number} after {back.Earlier.Number} was known")),
            ])
            {
                yield return new Violation(promise, $"state {about.Key} {sentence}");
            }
        }
    }

    private static IEnumerable<string> Lost(Call[] reports, ModuleState? state)
    {
        var version = state?.Version ?? 0;
        var latest = reports.Select(call => call.Number).DefaultIfEmpty().Max();
        if (latest > version)
        {
            yield return $"was acknowledged at version {latest}, and is at {version}";
        }

        if (state is not null && reports.Any(call => call.Number == version && call.Content != Content.Of(state)))
        {
            yield return $"has other content at version {version} than was acknowledged";
        }
    }

    private static IEnumerable<string> Misnumbered(Call[] reports, long[] told, long version)
    {
        var done = reports.Where(call => call.IsDone).ToArray();
        foreach (var (number, times) in done.CountBy(call => call.Number).Where(count => count.Value > 1))
        {
            yield return $"was given version {number} {times} times";
        }

        foreach (var (number, times) in told.CountBy(number => number).Where(count => count.Value > 1))
        {
            yield return $"was given version {number} {times} times, as the event log tells";
        }

        // What an acknowledged call did and no event tells of is a missing event, not a skipped version.
        var known = told.Concat(reports.Select(call => call.Number)).ToHashSet();
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

        foreach (var (earlier, later) in Back(done, done))
        {
            yield return $"was given version {later.Number} after {earlier.Number}";
        }
    }

    /// <summary>A call that began when another had been answered comes after it.</summary>
    private static IEnumerable<(Call Earlier, Call Later)> Back(Call[] known, Call[] calls)
    {
        var byEnd = new Queue<Call>(known.OrderBy(call => call.Ended));
        Call? latest = null;
        foreach (var call in calls.OrderBy(call => call.Started))
        {
            while (byEnd.TryPeek(out var earlier) && earlier.Ended < call.Started)
            {
                latest = latest is null || earlier.Number > latest.Number ? earlier : latest;
                byEnd.Dequeue();
            }

            if (latest is not null && latest.Number > call.Number)
            {
                yield return (latest, call);
            }
        }
    }
}
