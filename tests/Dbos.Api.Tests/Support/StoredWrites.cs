using System.Collections.Concurrent;

namespace Dbos.Api.Tests.Support;

/// <summary>What the store holds of a load's writes.</summary>
public static class StoredWrites
{
    private const int AtOnce = 32;

    public static async Task<IReadOnlyCollection<Write>> StoredOf(this DBOS.DBOSClient client, IEnumerable<Write> writes)
    {
        var stored = new ConcurrentBag<Write>();
        await ForEach(writes, async write =>
        {
            if (await write.Kind.IsStored(client, write.Id))
            {
                stored.Add(write);
            }
        });
        return stored;
    }

    public static async Task SendAgain(this DBOS.DBOSClient client, IEnumerable<Write> writes) =>
        await ForEach(writes, async write => (await write.Kind.Send(client, write.Id)).Should().BeTrue("a write is safe to send again"));

    /// <summary>What was acknowledged is there, and what is there has one event; what is not there has none.</summary>
    public static async Task ShouldHoldWhatItAcknowledged(this DBOS.DBOSClient client, IReadOnlyCollection<Write> writes)
    {
        var stored = (await client.StoredOf(writes)).ToHashSet();
        var names = writes.Select(write => write.Kind).Distinct().ToDictionary(kind => kind.EventType, kind => kind.EventIdName);
        var events = (await client.ReadEvents()).Where(told => names.ContainsKey(told.Type)).ToLookup(told => (told.Type, told[names[told.Type]]));
        writes.Where(write => write.Acknowledged).Except(stored).Should().BeEmpty("an acknowledged write survives");
        foreach (var write in writes)
        {
            events[(write.Kind.EventType, write.Id)].Count().Should().Be(
                stored.Contains(write) ? 1 : 0, "a record and its event land together ({0} {1})", write.Kind.EventType, write.Id);
        }
    }

    private static Task ForEach(IEnumerable<Write> writes, Func<Write, Task> act) =>
        Parallel.ForEachAsync(writes, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (write, _) => await act(write));
}
