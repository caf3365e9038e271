using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class PartitioningTests
{
    [Theory]
    [InlineData("", 9)]
    [InlineData("agent-1", 14)]
    [InlineData("a:b%c", 4)]
    [InlineData("измерение", 8)]
    [InlineData("\U0001F600", 0)]
    public void An_id_lives_in_the_same_partition_in_every_release(string id, int partition) =>
        Partitioning.PartitionOf(id, 16).Should().Be(partition);

    [Fact]
    public void An_id_of_the_greatest_length_lives_in_the_same_partition_in_every_release() =>
        Partitioning.PartitionOf(string.Concat(Enumerable.Repeat("ж", 256)) + new string('x', 1024), 16).Should().Be(10);

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(100)]
    public void Ids_spread_evenly(int partitions)
    {
        const int Each = 1_000;

        var counts = Enumerable.Range(0, partitions * Each).CountBy(number => Partitioning.PartitionOf($"agent-{number}", partitions)).ToDictionary();

        counts.Keys.Should().BeEquivalentTo(Enumerable.Range(0, partitions));
        counts.Values.Should().OnlyContain(count => count > Each * 0.8 && count < Each * 1.2);
    }

    [Fact]
    public void Of_one_partition_it_is_the_first() => Partitioning.PartitionOf("agent-1", 1).Should().Be(0);
}
