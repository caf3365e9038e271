using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

/// <summary>One holder at a time, as the holders themselves could tell.</summary>
internal static class LeaseChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var words = calls
            .Where(call => call.IsAck || call.Method is Method.NackTask or Method.ExtendTaskLease)
            .ToLookup(call => call.Subject);
        var deliveries = final.Events.Where(told => told.Type == LoggedEvent.Delivered).ToLookup(told => told.Subject, told => told.Number);
        return from taken in calls.Where(call => call.IsDelivery).GroupBy(call => call.Subject)
               let held = taken.OrderBy(call => call.Ended).ToArray()
               from sentence in ((IEnumerable<string>)[
                   .. Overlaps([.. held.Select(delivery => Tenure.Of(delivery, words[taken.Key]))]),
                   .. Regress(held),
                   .. Stale(held, [.. words[taken.Key]]),
                   .. RegressAsTold([.. deliveries[taken.Key]]),
               ])
               select new Violation(Promise.TaskHeldTwice, $"task {taken.Key} {sentence}");
    }

    private static IEnumerable<string> Overlaps(Tenure[] tenures)
    {
        foreach (var (token, times) in tenures.CountBy(tenure => tenure.Token).Where(count => count.Value > 1))
        {
            yield return $"was delivered as {token} {times} times";
        }

        for (var i = 0; i < tenures.Length; i++)
        {
            foreach (var later in tenures[(i + 1)..].Where(later => later.From < tenures[i].Until && tenures[i].From < later.Until))
            {
                yield return $"was held by {tenures[i]} and by {later}";
            }
        }
    }

    /// <summary>A task that was asked for when a delivery of it had been heard has a later token.</summary>
    private static IEnumerable<string> Regress(Call[] held) =>
        from earlier in held
        from later in held
        where earlier.Ended < later.Started && earlier.Number > later.Number
        select $"was delivered as {later.Number} after {earlier.Number}";

    /// <summary>
    /// Nothing that a holder says is taken when a later delivery is known. A negative acknowledgement may be answered as
    /// the replay that it is.
    /// </summary>
    private static IEnumerable<string> Stale(Call[] held, Call[] words) =>
        from word in words
        where word.Method == Method.NackTask ? word.IsDone : word.IsAcknowledged
        let later = held.FirstOrDefault(delivery => delivery.Number > word.Number && (word.IsAck || delivery.Ended < word.Started))
        where later is not null
        select $"{word.Method} of delivery {word.Number} was accepted, and {later.Number} was delivered";

    private static IEnumerable<string> RegressAsTold(long[] tokens) =>
        from pair in tokens.Zip(tokens.Skip(1))
        where pair.Second <= pair.First
        select $"was delivered as {pair.Second} after {pair.First}, as the event log tells";

    /// <summary>A while in which a holder may rely on a delivery: it has heard of it, its lease runs, and it has not ended it.</summary>
    private sealed record Tenure(string Holder, long Token, TimeSpan From, TimeSpan Until)
    {
        public static Tenure Of(Call delivery, IEnumerable<Call> words)
        {
            var own = words.Where(word => word.Client == delivery.Client && word.Number == delivery.Number).ToArray();
            var leased = own
                .Where(word => word.Method == Method.ExtendTaskLease && word.IsAcknowledged)
                .Select(word => word.HeldUntil)
                .Append(delivery.HeldUntil)
                .Max();
            var ended = own.Where(word => word.Method != Method.ExtendTaskLease).Min(word => (TimeSpan?)word.Started);
            return new Tenure(delivery.Client, delivery.Number, delivery.Ended, ended < leased ? ended.Value : leased!.Value);
        }

        public override string ToString() => FormattableString.Invariant($"{Holder} (delivery {Token}, {From.TotalSeconds:F3} s to {Until.TotalSeconds:F3} s)");
    }
}
