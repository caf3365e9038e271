using System.Text;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Transfer;

public sealed class StoreContentsTests
{
    private readonly IStore store = Substitute.For<IStore>();

    public StoreContentsTests()
    {
        store.Partitions.Returns(2);
        store.Names(default!, default, default).ReturnsForAnyArgs(new NameSlice([], null));
        store.Counts(default, default, default).ReturnsForAnyArgs(new Dictionary<string, long>());
        store.NewestEvents(default, default, default, default, default).ReturnsForAnyArgs([]);
    }

    [Fact]
    public async Task What_a_scan_comes_upon_twice_is_exported_once()
    {
        var mark = new StoreKey(1, "mark:ScheduleTask:natural:t1:t1");
        store.Names(Arg.Any<IReadOnlyList<string>>(), null, default).Returns(new NameSlice([mark, mark], "next"));
        store.Names(Arg.Any<IReadOnlyList<string>>(), "next", default).Returns(new NameSlice([mark], null));
        store.FindMark(mark, default).Returns(new Mark(mark.Name, Bytes("first"), TimeSpan.FromHours(1)));

        (await Read()).Should().ContainSingle().Which.Should().BeOfType<MarkLine>();
    }

    [Fact]
    public async Task Events_of_all_partitions_come_newest_first_however_many_slices_they_are()
    {
        // Even ids in one partition, odd ones in the other.
        var logs = Enumerable.Range(0, 2)
            .Select(partition => Enumerable.Range(0, 1_500).Select(number => (ReadOnlyMemory<byte>)Event((2 * number) + partition)).Reverse().ToArray())
            .ToArray();
        store.NewestEvents(default, default, default, default, default).ReturnsForAnyArgs(call => call.ArgAt<EventLogName>(1) == EventLogName.History
            ? [.. logs[call.ArgAt<int>(0)].Skip(call.ArgAt<int>(2)).Take(call.ArgAt<int>(3))]
            : []);

        var told = (await Read()).Cast<EventLine>().Select(line => Encoding.UTF8.GetString(line.Told.Span));

        told.Should().Equal(Enumerable.Range(0, 3_000).Reverse().Select(number => Encoding.UTF8.GetString(Event(number))));
    }

    [Fact]
    public async Task Counters_are_summed_over_partitions()
    {
        store.Counts(0, null, default).Returns(new Dictionary<string, long> { ["done"] = 3, ["failed"] = 1 });
        store.Counts(1, null, default).Returns(new Dictionary<string, long> { ["done"] = 4 });

        (await Read()).Should().BeEquivalentTo([new CounterLine("done", 7), new CounterLine("failed", 1)]);
    }

    private static byte[] Event(int number) => Bytes($$"""{"id":"{{number:x8}}"}""");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<List<ExportLine>> Read()
    {
        var lines = new List<ExportLine>();
        await foreach (var line in new StoreContents(store).Read())
        {
            lines.Add(line);
        }

        return lines;
    }
}
