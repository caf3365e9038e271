using Dbos.Domain.Agents;

namespace Dbos.Domain.Tests.Agents;

public sealed class HeartbeatCountTests
{
    /// <summary>Each heartbeat as "count@last_seen".</summary>
    [Theory]
    [InlineData("10@0 11@5 12@10", 12)]
    [InlineData("10@0 15@5", 15)]
    [InlineData("10@0 10@0 11@5 11@5 10@0", 11)]
    [InlineData("10@0 11@5 12@10 11@5", 12)]
    [InlineData("10@0 1@5", 11)]
    [InlineData("10@0 1@5 2@10 2@10 3@15", 13)]
    [InlineData("10@0 1@0", 10)]
    [InlineData("10@0 1@0 2@5", 12)]
    [InlineData("10@0 0@5 11@10", 11)]
    [InlineData("0@0 5@5", 5)]
    [InlineData("3@0 1@5 1@10 2@15", 5)]
    public void The_total_adds_the_rise_of_the_callers_count(string heartbeats, int total) =>
        Hear(heartbeats.Split(' ')).Total.Should().Be(total);

    [Fact]
    public void A_count_that_began_anew_goes_on_beyond_what_it_was_before()
    {
        var before = Enumerable.Range(1, 10).Select(count => $"{count}@{count}");
        var after = Enumerable.Range(1, 30).Select(count => $"{count}@{100 + count}");

        Hear([.. before, .. after]).Total.Should().Be(40);
    }

    [Fact]
    public void Restarts_one_after_the_other_lose_nothing()
    {
        var lives = Enumerable.Range(0, 20).SelectMany(life => Enumerable.Range(1, 7 + (life % 3)).Select(count => $"{count}@{(life * 100) + count}"));

        Hear([.. lives]).Total.Should().Be(Enumerable.Range(0, 20).Sum(life => 7 + (life % 3)));
    }

    /// <summary>In turns, and for a long time one alone.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(200)]
    public void Two_callers_that_alternate_count_their_own_heartbeats_only(int inARow)
    {
        var (ones, others, second) = (1_000, 10, 0);
        var heartbeats = new List<string> { $"{ones}@{second++}", $"{others}@{second++}" };
        for (var turn = 0; turn < 10; turn++)
        {
            heartbeats.AddRange(Enumerable.Range(0, inARow).Select(_ => $"{++ones}@{second++}"));
            heartbeats.AddRange(Enumerable.Range(0, inARow).Select(_ => $"{++others}@{second++}"));
        }

        Hear([.. heartbeats]).Total.Should().Be(1_010 + (20 * inARow));
    }

    [Fact]
    public void The_total_ends_at_what_the_wire_can_carry() =>
        Hear($"{int.MaxValue}@0", "5@5").Total.Should().Be(int.MaxValue);

    private static HeartbeatCount Hear(params string[] heartbeats)
    {
        HeartbeatCount? known = null;
        var newest = 0;
        foreach (var parts in heartbeats.Select(heartbeat => heartbeat.Split('@').Select(int.Parse).ToArray()))
        {
            known = known?.Hear(parts[0], parts[1], newest) ?? HeartbeatCount.First(parts[0], parts[1]);
            newest = Math.Max(newest, parts[1]);
        }

        return known!;
    }
}
