using Dbos.Soak.Takers;

namespace Dbos.Soak;

/// <summary>What the queue says of the tasks, and what the takers say that they did.</summary>
internal sealed record Ledger(
    GetQueueStatsResponse Stats,
    IReadOnlyList<WireTask> Tasks,
    IReadOnlyList<Inconsistency> Inconsistencies,
    IReadOnlyList<JournalEntry> Journals)
{
    public static async Task<Ledger> Read(AnyReplica caller, IReadOnlyList<JournalEntry> journals)
    {
        var stats = await caller.Ask((client, options) => client.GetQueueStatsAsync(new GetQueueStatsRequest(), options));
        return new Ledger(stats, await caller.ListTasks(), await caller.CheckConsistency(), journals);
    }

    public long Total(string name) => Stats.Totals.GetValueOrDefault(name);

    public int Written(JournalWord word) => Journals.Count(entry => entry.Word == word);

    /// <summary>Everything that is not as it must be; nothing: each task was completed once and none is left over.</summary>
    public IEnumerable<string> Faults(int scheduled) =>
    [
        .. CountFaults(scheduled),
        .. AcknowledgementFaults(),
        .. Inconsistencies.Select(found => $"{found.TaskId}: {found.Description}"),
    ];

    private IEnumerable<string> CountFaults(int scheduled)
    {
        var completed = Tasks.Where(task => task.Status == "completed").Select(task => task.Id).ToHashSet();
        (string What, long Is, long Must)[] counts =
        [
            ("tasks listed", Tasks.Count, scheduled),
            ("scheduled tasks listed as completed", Enumerable.Range(0, scheduled).Count(number => completed.Contains(Scheduler.IdOf(number))), scheduled),
            ("pending", Stats.Pending, 0),
            ("inflight", Stats.Inflight, 0),
            ("failed", Stats.Failed, 0),
            ("cancelled", Stats.Cancelled, 0),
            ("completed", Stats.Completed, scheduled),
            ("ever scheduled", Total("scheduled"), scheduled),
            ("ever completed", Total("completed"), scheduled),
            ("ever dead-lettered", Total("dead_lettered"), 0),
            ("ever delivered, as the tasks count it", Tasks.Sum(task => task.DeliveryCount), Total("delivered")),
            ("ever nacked, as the tasks count it", Tasks.Sum(task => (long)task.FailureCount), Total("nacked")),
            ("ever expired, as the tasks count it", Tasks.Sum(task => (long)task.ExpiryCount), Total("lease_expired")),
            (
                "ends of deliveries",
                Total("completed") + Total("nacked") + Total("lease_expired") + Total("released"),
                Total("delivered")
            ),
        ];
        return from count in counts where count.Is != count.Must select $"{count.What}: {count.Is}, not {count.Must}";
    }

    /// <summary>
    /// A taker that was killed between sending and hearing cannot know: so the delivery that completed a task must have
    /// been sent by somebody, and no other may ever have been answered as accepted.
    /// </summary>
    private IEnumerable<string> AcknowledgementFaults()
    {
        var ofTask = Journals.ToLookup(entry => entry.TaskId);
        foreach (var task in Tasks.Where(task => task.Status == "completed"))
        {
            var said = ofTask[task.Id].ToArray();
            if (!said.Any(entry => entry.Word == JournalWord.Sent && entry.LeaseToken == task.LeaseToken))
            {
                yield return $"{task.Id} was completed by delivery {task.LeaseToken}, which nobody acknowledged";
            }

            if (said.Count(entry => entry.Word == JournalWord.Accepted) > 1)
            {
                yield return $"{task.Id} was accepted as completed more than once";
            }

            if (said.Any(entry => entry.Word is JournalWord.Accepted or JournalWord.AcceptedBefore && entry.LeaseToken != task.LeaseToken))
            {
                yield return $"{task.Id} was completed by delivery {task.LeaseToken}, but another was answered as accepted";
            }
        }

        var refused = Written(JournalWord.Refused);
        if (refused > 0)
        {
            yield return $"{refused} calls were refused for another reason than a lost lease";
        }
    }
}
