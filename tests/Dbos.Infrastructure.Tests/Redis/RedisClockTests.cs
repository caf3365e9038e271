using Dbos.Infrastructure.Redis.Connection;
using Microsoft.Extensions.Time.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class RedisClockTests
{
    private static readonly DateTimeOffset Told = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);

    private readonly FakeTimeProvider process = new(DateTimeOffset.FromUnixTimeSeconds(2_000_000_000));
    private readonly RedisClock clock;

    public RedisClockTests() => clock = new RedisClock(process);

    [Fact]
    public void Until_Redis_answers_it_is_the_processs_clock() => clock.GetUtcNow().Should().Be(process.GetUtcNow());

    [Fact]
    public void What_Redis_answers_is_the_time_and_goes_on_without_it()
    {
        clock.Set(Told.ToUnixTimeSeconds(), 250_000);
        process.Advance(TimeSpan.FromSeconds(70));

        clock.GetUtcNow().Should().Be(Told.AddSeconds(70.25));
    }

    [Fact]
    public void An_answer_that_took_long_does_not_set_it_back()
    {
        clock.Set(Told.ToUnixTimeSeconds(), 0);
        process.Advance(TimeSpan.FromSeconds(1));

        clock.Set(Told.ToUnixTimeSeconds(), 400_000);

        clock.GetUtcNow().Should().Be(Told.AddSeconds(1));
    }

    [Fact]
    public void A_faster_answer_sets_it_forward()
    {
        clock.Set(Told.ToUnixTimeSeconds(), 0);

        clock.Set(Told.ToUnixTimeSeconds(), 10_000);

        clock.GetUtcNow().Should().Be(Told.AddMilliseconds(10));
    }

    [Fact]
    public void When_no_answer_was_as_fast_for_long_it_waits_until_the_slower_ones_time()
    {
        clock.Set(Told.ToUnixTimeSeconds(), 0);
        process.Advance(TimeSpan.FromSeconds(11));

        clock.Set(Told.ToUnixTimeSeconds() + 10, 500_000);

        clock.GetUtcNow().Should().Be(Told.AddSeconds(11));
        process.Advance(TimeSpan.FromMilliseconds(400));
        clock.GetUtcNow().Should().Be(Told.AddSeconds(11));
        process.Advance(TimeSpan.FromMilliseconds(200));
        clock.GetUtcNow().Should().Be(Told.AddSeconds(11).AddMilliseconds(100));
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(3600)]
    public void A_change_of_Rediss_clock_counts_at_once(int seconds)
    {
        clock.Set(Told.ToUnixTimeSeconds(), 0);

        clock.Set(Told.ToUnixTimeSeconds() + seconds, 0);

        clock.GetUtcNow().Should().Be(Told.AddSeconds(seconds));
    }
}
