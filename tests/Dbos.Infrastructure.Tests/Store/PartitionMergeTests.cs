using Dbos.Infrastructure.Store;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class PartitionMergeTests
{
    private static readonly Comparison<(int Value, int Partition)> Order = (left, right) => left.CompareTo(right);

    /// <summary>Few to many partitions, some empty, some holding nearly everything, with many equal values.</summary>
    private static readonly Arbitrary<(int[][] Partitions, int Count)> Cases = (
        from partitions in (
            from size in Gen.Frequency((1, Gen.Constant(0)), (4, Gen.Choose(0, 30)), (1, Gen.Choose(100, 400)))
            from spread in Gen.Elements(3, 50, 10_000)
            from values in Gen.Choose(0, spread).ArrayOf(size)
            select values).NonEmptyListOf()
        from count in Gen.Choose(1, 300)
        select (partitions.Take(20).ToArray(), count)).ToArbitrary();

    [Property(MaxTest = 500)]
    public Property The_first_of_all_partitions_are_those_of_one_plain_sort() => Prop.ForAll(Cases, async with =>
    {
        var store = new Partitions(with.Partitions);

        var merged = await store.First(with.Count);

        merged.Items.Should().Equal(store.Sorted.Take(with.Count));
    });

    [Property(MaxTest = 500)]
    public Property What_is_read_of_a_partition_follows_what_is_asked_for() => Prop.ForAll(Cases, async with =>
    {
        var store = new Partitions(with.Partitions);

        var merged = await store.First(with.Count);

        var firstWindow = (2 * with.Count / with.Partitions.Length) + 4;
        store.LargestRead.Should().BeLessThanOrEqualTo(Math.Max(firstWindow, with.Count));
        merged.Seen.CountBy(item => item.Partition).Select(read => read.Value).Should().NotContain(read => read > store.LargestRead);
    });

    [Fact]
    public async Task All_that_was_read_is_told_in_the_same_order()
    {
        var merged = await new Partitions([[5, 1], [], [3]]).First(1);

        merged.Items.Should().Equal((1, 0));
        merged.Seen.Should().Equal((1, 0), (3, 2), (5, 0));
    }

    private sealed class Partitions(int[][] values)
    {
        private readonly (int Value, int Partition)[][] sorted =
            [.. values.Select((items, partition) => items.Order().Select(value => (value, partition)).ToArray())];

        public IEnumerable<(int Value, int Partition)> Sorted => sorted.SelectMany(items => items).Order();

        public int LargestRead { get; private set; }

        public Task<Merged<(int Value, int Partition)>> First(int count) =>
            PartitionMerge.First([.. Enumerable.Range(0, sorted.Length)], count, Order, Read);

        private Task<IReadOnlyList<(int Value, int Partition)>> Read(int partition, int count)
        {
            LargestRead = Math.Max(LargestRead, count);
            return Task.FromResult<IReadOnlyList<(int, int)>>([.. sorted[partition].Take(count)]);
        }
    }
}
