using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Time.Testing;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class HeartbeatsTests
{
    private static readonly DateTimeOffset Instant = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    private static readonly string Swept = Heartbeats.Deadlines[1];

    private readonly FakeTimeProvider clock = new();
    private readonly Heartbeats heartbeats;

    public HeartbeatsTests() => heartbeats = new Heartbeats(clock);

    [Fact]
    public void Before_the_first_probe_it_does_not_beat_and_every_deadline_may_have_passed()
    {
        heartbeats.IsBeating.Should().BeFalse();
        heartbeats.MayHavePassed(Swept, Instant).Should().BeTrue();
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(1L, false)]
    [InlineData(0L, true)]
    [InlineData(-1L, true)]
    public void A_deadline_may_have_passed_if_the_earliest_has(long? earliestAfter, bool expected)
    {
        heartbeats.Hear(PulseOf(Instant.ToUnixTimeMilliseconds() + earliestAfter));

        heartbeats.IsBeating.Should().BeTrue();
        heartbeats.MayHavePassed(Swept, Instant).Should().Be(expected);
    }

    [Fact]
    public void Of_an_index_that_no_probe_looks_at_nothing_is_known()
    {
        heartbeats.Hear(PulseOf(null));

        heartbeats.MayHavePassed("another", Instant).Should().BeTrue();
    }

    [Fact]
    public void What_was_told_long_ago_counts_no_more()
    {
        heartbeats.Hear(PulseOf(null));
        clock.Advance(TimeSpan.FromSeconds(2));
        (heartbeats.IsBeating, heartbeats.MayHavePassed(Swept, Instant)).Should().Be((true, false));

        clock.Advance(TimeSpan.FromSeconds(1));

        (heartbeats.IsBeating, heartbeats.MayHavePassed(Swept, Instant)).Should().Be((false, true));
    }

    [Fact]
    public void After_a_probe_that_failed_it_does_not_beat_and_every_deadline_may_have_passed()
    {
        heartbeats.Hear(PulseOf(null));
        heartbeats.Hear(null);

        (heartbeats.IsBeating, heartbeats.MayHavePassed(Swept, Instant)).Should().Be((false, true));
    }

    private static Pulse PulseOf(long? earliest) => new([.. Heartbeats.Deadlines.Select(_ => earliest)], []);
}
