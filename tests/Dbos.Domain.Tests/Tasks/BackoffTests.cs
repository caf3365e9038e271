using Dbos.Domain.Tasks;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.Tasks;

public sealed class BackoffTests
{
    private static readonly Backoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(300));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(9, 256)]
    [InlineData(10, 300)]
    [InlineData(1_001, 300)]
    [InlineData(int.MaxValue, 300)]
    public void The_rest_doubles_with_each_failure_up_to_the_cap(int failures, double seconds)
    {
        Backoff.Delay(failures, random: 1).TotalSeconds.Should().Be(seconds);
        Backoff.Delay(failures, random: 0).TotalSeconds.Should().Be(seconds / 2);
    }

    [Property]
    public bool The_jitter_is_the_upper_half(ushort failures, ushort random)
    {
        var longest = Backoff.Delay(failures + 1, random: 1);
        var delay = Backoff.Delay(failures + 1, random / (double)ushort.MaxValue);
        return delay >= longest / 2 && delay <= longest;
    }

    [Fact]
    public void A_base_beyond_the_cap_is_the_cap() =>
        new Backoff(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(4)).Delay(1, random: 1).Should().Be(TimeSpan.FromSeconds(4));

    [Fact]
    public void No_base_is_no_rest() =>
        new Backoff(TimeSpan.Zero, TimeSpan.FromSeconds(4)).Delay(7, random: 1).Should().Be(TimeSpan.Zero);
}
