using Dbos.Infrastructure.Events;

namespace Dbos.Infrastructure.Tests.Events;

public sealed class EventIdsTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);

    [Fact]
    public void An_id_begins_with_the_milliseconds_in_hex() =>
        new EventIds().Next(Now).Should().MatchRegex($"^{Now.ToUnixTimeMilliseconds():x12}0000-[0-9a-f]{{8}}$");

    [Fact]
    public void Later_ids_sort_later()
    {
        var ids = new EventIds();
        string[] told = [ids.Next(Now), ids.Next(Now), ids.Next(Now.AddMilliseconds(1)), ids.Next(Now.AddYears(1))];

        told.Should().BeInAscendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public void A_clock_that_goes_back_takes_no_id_back()
    {
        var ids = new EventIds();
        var before = ids.Next(Now);

        string.CompareOrdinal(ids.Next(Now.AddHours(-1)), before).Should().BePositive();
    }

    [Fact]
    public async Task Ids_made_in_parallel_are_unique_and_ascend_for_each_thread()
    {
        const int Threads = 8;
        var ids = new EventIds();

        var told = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 20_000).Select(_ => ids.Next(Now)).ToArray())));

        told.Should().AllSatisfy(own => own.SequenceEqual(own.Order(StringComparer.Ordinal)).Should().BeTrue());
        told.SelectMany(own => own).Distinct().Should().HaveCount(Threads * 20_000);
    }

    [Fact]
    public void Two_processes_never_make_one_id() =>
        new EventIds().Next(Now).Should().NotBe(new EventIds().Next(Now));
}
