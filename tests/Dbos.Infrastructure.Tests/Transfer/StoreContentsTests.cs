using System.Text;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Transfer;

public sealed class StoreContentsTests
{
    private readonly IStore store = Substitute.For<IStore>();
    private readonly ISubjectTransfer<ExportedEvent> events = Substitute.For<ISubjectTransfer<ExportedEvent>>();

    public StoreContentsTests()
    {
        store.Partitions.Returns(2);
        store.Names(default!, default, default).ReturnsForAnyArgs(new NameSlice([], null));
        store.Counts(default, default, default).ReturnsForAnyArgs(new Dictionary<string, long>());
        events.Export(default).ReturnsForAnyArgs(AsyncEnumerable.Empty<ExportedEvent>());
    }

    [Fact]
    public async Task What_a_scan_comes_upon_twice_is_exported_once()
    {
        var mark = new StoreKey(store.PartitionOf("t1"), "mark:ScheduleTask:natural:t1:t1");
        store.Names(Arg.Any<IReadOnlyList<string>>(), null, default).Returns(new NameSlice([mark, mark], "next"));
        store.Names(Arg.Any<IReadOnlyList<string>>(), "next", default).Returns(new NameSlice([mark], null));
        store.FindMark(mark, default).Returns(new Mark(mark.Name, Bytes("first"), TimeSpan.FromHours(1)));

        (await Read()).Should().ContainSingle().Which.Should().BeOfType<MarkLine>();
    }

    [Fact]
    public async Task Events_come_as_the_event_log_exports_them()
    {
        ExportedEvent[] exported = [new(EventLogName.History, Bytes("{}")), new(EventLogName.Refusals, Bytes("{}"))];
        events.Export(default).ReturnsForAnyArgs(exported.ToAsyncEnumerable());

        (await Read()).Cast<EventLine>().Select(line => line.Log).Should().Equal(EventLogName.History, EventLogName.Refusals);
    }

    [Fact]
    public async Task Counters_are_summed_over_partitions()
    {
        store.Counts(0, null, default).Returns(new Dictionary<string, long> { ["done"] = 3, ["failed"] = 1 });
        store.Counts(1, null, default).Returns(new Dictionary<string, long> { ["done"] = 4 });

        (await Read()).Should().BeEquivalentTo([new CounterLine("done", 7), new CounterLine("failed", 1)]);
    }

    [Fact]
    public async Task A_record_in_a_partition_that_is_not_its_own_is_not_passed_over()
    {
        var astray = new StoreKey(1 - store.PartitionOf("t1"), "task:t1");
        store.Names(default!, default, default).ReturnsForAnyArgs(new NameSlice([astray], null));

        (await FluentActions.Awaiting(Read).Should().ThrowAsync<TransferRefusedException>()).WithMessage("task:t1 lies in partition*");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_record_that_is_not_found_has_gone_if_the_store_is_served_and_else_is_not_passed_over(bool isServed)
    {
        var name = new StoreKey(store.PartitionOf("t1"), "task:t1");
        store.Names(default!, default, default).ReturnsForAnyArgs(new NameSlice([name], null));

        var read = () => Read(isServed);

        if (isServed)
        {
            (await read()).Should().BeEmpty();
        }
        else
        {
            await read.Should().ThrowAsync<TransferRefusedException>();
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private Task<List<ExportLine>> Read() => Read(isServed: false);

    private async Task<List<ExportLine>> Read(bool isServed)
    {
        var lines = new List<ExportLine>();
        await foreach (var line in new StoreContents(store, events, isServed).Read())
        {
            lines.Add(line);
        }

        return lines;
    }
}
