using System.Diagnostics;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class RedisClockTests
{
    private static readonly TimeSpan Near = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset Elsewhere = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);

    private readonly RedisClock clock = new();

    [Fact]
    public void Before_Redis_was_heard_it_is_the_processs_clock() =>
        clock.GetUtcNow().Should().BeCloseTo(DateTimeOffset.UtcNow, Near);

    [Fact]
    public void What_Redis_tells_is_the_time()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 250_000, Stopwatch.GetTimestamp());

        clock.GetUtcNow().Should().BeOnOrAfter(Elsewhere.AddMilliseconds(250)).And.BeCloseTo(Elsewhere, Near);
    }

    [Fact]
    public void Without_Redis_it_goes_on()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp());
        var before = clock.GetUtcNow();

        SpinWait.SpinUntil(() => clock.GetUtcNow() > before + TimeSpan.FromMilliseconds(20), Near).Should().BeTrue();
    }

    [Fact]
    public void An_answer_is_from_half_way_between_question_and_answer()
    {
        var asked = Stopwatch.GetTimestamp() - (10 * Stopwatch.Frequency);

        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, asked);

        clock.GetUtcNow().Should().BeCloseTo(Elsewhere.AddSeconds(5), Near);
    }

    [Fact]
    public void An_answer_that_was_long_under_way_does_not_move_it()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp());

        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp() - (10 * Stopwatch.Frequency));

        clock.GetUtcNow().Should().BeCloseTo(Elsewhere, Near);
    }

    [Fact]
    public void An_answer_that_was_long_under_way_counts_when_there_was_no_better_one_for_long()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp() - (60 * Stopwatch.Frequency));

        clock.Hear(Elsewhere.ToUnixTimeSeconds() + 3600, 0, Stopwatch.GetTimestamp() - (10 * Stopwatch.Frequency));

        clock.GetUtcNow().Should().BeCloseTo(Elsewhere.AddSeconds(3605), Near);
    }

    [Fact]
    public void A_small_step_back_is_waited_out()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 200_000, Stopwatch.GetTimestamp());
        var before = clock.GetUtcNow();

        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 100_000, Stopwatch.GetTimestamp());

        clock.GetUtcNow().Should().BeOnOrAfter(before).And.BeBefore(Elsewhere.AddMilliseconds(300), "it goes on only then");
        SpinWait.SpinUntil(() => clock.GetUtcNow() > Elsewhere.AddMilliseconds(300), Near).Should().BeTrue();
    }

    [Fact]
    public void What_was_heard_last_counts()
    {
        clock.Hear(Elsewhere.ToUnixTimeSeconds() + 3600, 0, Stopwatch.GetTimestamp());

        clock.Hear(Elsewhere.ToUnixTimeSeconds(), 0, Stopwatch.GetTimestamp());

        clock.GetUtcNow().Should().BeCloseTo(Elsewhere, Near);
    }
}
