using Dbos.Domain.Agents;

namespace Dbos.Domain.Tests.Agents;

public sealed class AgentConfigTests
{
    private static readonly AgentConfig First = new(Samples.Config(("interval", "5"), ("timestamp", "0")));

    [Fact]
    public void A_key_that_changes_with_each_heartbeat_is_told_twice_and_is_volatile_then()
    {
        var (config, told) = HearAll(First, Enumerable.Range(1, 100).Select(second => Told("5", second)));

        told.Should().Equal("1: timestamp", "2: timestamp");
        config.Volatile.Keys.Should().Equal("timestamp");
        config.Steady.Keys.Should().Equal("interval");
        Texts(config).Should().Be("interval=5, timestamp=100");
    }

    [Fact]
    public void A_real_change_is_told_at_once_beside_a_volatile_key()
    {
        var config = Volatile();

        var change = config.Hear(Told("6", 101));

        change.ChangedKeys.Should().Equal("interval");
        change.Next.Hear(Told("7", 102)).ChangedKeys.Should().Equal("interval");
    }

    [Fact]
    public void A_key_that_keeps_its_value_now_and_then_is_never_volatile()
    {
        var (config, told) = HearAll(First, Enumerable.Range(1, 30).Select(number => Told(Text(number / 3), 0)));

        told.Should().HaveCount(11);
        config.Volatile.Should().BeEmpty();
    }

    [Fact]
    public void A_volatile_key_is_steady_again_after_ten_heartbeats_with_the_same_value()
    {
        var (nearly, told) = HearAll(Volatile(), Enumerable.Repeat(Told("5", 100), AgentConfig.HeartbeatsOfSteady - 1));
        nearly.Volatile.Should().HaveCount(1);

        var steady = nearly.Hear(Told("5", 100)).Next;

        told.Should().BeEmpty();
        steady.Volatile.Should().BeEmpty();
        Texts(steady).Should().Be("interval=5, timestamp=100");
        steady.Hear(Told("5", 101)).ChangedKeys.Should().Equal("timestamp");
    }

    [Fact]
    public void A_value_between_the_same_ones_keeps_a_key_volatile()
    {
        var config = HearAll(Volatile(), Enumerable.Repeat(Told("5", 100), AgentConfig.HeartbeatsOfSteady - 1)).Config;

        config = HearAll(config, [Told("5", 101), .. Enumerable.Repeat(Told("5", 101), AgentConfig.HeartbeatsOfSteady - 1)]).Config;

        config.Volatile.Should().HaveCount(1);
    }

    /// <summary>Of two callers one knows of a key that the other does not.</summary>
    [Fact]
    public void A_key_that_comes_and_goes_with_each_heartbeat_is_volatile()
    {
        var (config, told) = HearAll(
            First, Enumerable.Range(1, 21).Select(number => number % 2 == 0 ? Told("5", 0) : Samples.Config(("timestamp", "0"))));

        told.Should().Equal("1: interval", "2: interval");
        Texts(config).Should().Be("timestamp=0");
        config.Volatile["interval"].Value.Should().BeNull();
    }

    [Fact]
    public void A_volatile_key_that_stays_away_is_forgotten()
    {
        var (config, told) = HearAll(Volatile(), Enumerable.Repeat(Samples.Config(("interval", "5")), AgentConfig.HeartbeatsOfSteady + 1));

        told.Should().BeEmpty();
        config.Volatile.Should().BeEmpty();
        Texts(config).Should().Be("interval=5");
    }

    [Fact]
    public void What_is_remembered_without_texts_leads_to_the_same_config_with_texts()
    {
        var walk = Enumerable.Range(1, 20).Select(number => Told(Text(number / 5), number)).ToArray();

        var whole = HearAll(First, walk);
        var bare = walk.Aggregate(First, (config, told) => config.WithoutTexts().Hear(told).Next);
        var changed = bare.WithoutTexts().Hear(Told("9", 21)).Next;

        bare.WithoutTexts().Steady.Values.Should().OnlyContain(value => value.Text == null);
        whole.Config.Values.Should().BeEquivalentTo(bare.Values);
        Texts(changed).Should().Be("interval=9, timestamp=21", "what differs is to be written, and has its texts");
    }

    [Fact]
    public void A_heartbeat_that_changes_nothing_leaves_every_part_as_it_is()
    {
        var change = First.Hear(Told("5", 0));

        change.Next.Steady.Should().BeSameAs(First.Steady);
        change.Next.Changing.Should().BeSameAs(First.Changing);
        change.Next.Volatile.Should().BeSameAs(First.Volatile);
        Volatile().Hear(Told("5", 101)).Next.Changing.Should().BeEmpty();
    }

    private static AgentConfig Volatile() => HearAll(First, Enumerable.Range(1, 100).Select(second => Told("5", second))).Config;

    /// <returns>Also the changed keys, behind the number of the heartbeat that changed them.</returns>
    private static (AgentConfig Config, List<string> Told) HearAll(AgentConfig config, IEnumerable<Dictionary<string, ConfigValue>> heartbeats)
    {
        var told = new List<string>();
        var number = 0;
        foreach (var heartbeat in heartbeats)
        {
            number++;
            (config, var keys) = config.Hear(heartbeat);
            told.AddRange(keys.Count > 0 ? [$"{number}: {string.Join(", ", keys)}"] : []);
        }

        return (config, told);
    }

    private static Dictionary<string, ConfigValue> Told(string interval, int timestamp) =>
        Samples.Config(("interval", interval), ("timestamp", Text(timestamp)));

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Texts(AgentConfig config) => string.Join(
        ", ", config.Values.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}={entry.Value.RequiredText}"));
}
