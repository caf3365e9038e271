using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>What is due of a banded index, and what is known of an index without reading it.</summary>
public abstract class BandTests(IEngine engine) : StoreTests(engine)
{
    private const long LastMillisecond = 253_402_300_799_999;
    private static readonly StoreKey Index = new(0, "index");

    [Fact]
    public void Bands_sort_before_times_and_both_are_read_from_a_score()
    {
        long[] scores = [Bands.Score(0, 0), Bands.Score(0, LastMillisecond), Bands.Score(1, 0), Bands.Score(Bands.Count - 1, LastMillisecond)];

        scores.Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        scores.Select(Bands.BandOf).Should().Equal(0, 0, 1, Bands.Count - 1);
        scores.Select(Bands.DueOf).Should().Equal(0, LastMillisecond, 0, LastMillisecond);
        scores[^1].Should().BeLessThan(1L << 53, "a double holds it exactly");
    }

    [Theory]
    [InlineData(100, 10, "a0 b0 a3 b3 c9")]
    [InlineData(100, 3, "a0 b0 a3")]
    [InlineData(100, 1, "a0")]
    [InlineData(49, 10, "a0 a3")]
    [InlineData(9, 10, "")]
    [InlineData(LastMillisecond, 100, "a0 b0 d0 a3 b3 d3 c9 d9")]
    public async Task What_is_due_comes_band_by_band_and_what_waits_in_a_higher_one_hides_nothing(long upTo, int count, string expected)
    {
        await Fill(("a0", 0, 10), ("b0", 0, 50), ("d0", 0, 200), ("a3", 3, 20), ("b3", 3, 100), ("d3", 3, 101), ("c9", 9, 60), ("d9", 9, LastMillisecond));

        var due = await Port.Due(Index, upTo, count, None);

        string.Join(' ', due.Select(entry => entry.Member)).Should().Be(expected);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(500)]
    public async Task Many_that_wait_in_a_higher_band_hide_none_that_is_due_in_a_lower(int count)
    {
        await Fill([
            .. Enumerable.Range(0, 300).Select(number => ($"later{number}", 0, 1_000L + number)),
            .. Enumerable.Range(0, 300).Select(number => ($"later still{number}", 5, 1_000L)),
            .. Enumerable.Range(0, 20).Select(number => ($"due{number:00}", 9, (long)number)),
        ]);

        var due = await Port.Due(Index, upTo: 999, count, None);

        due.Select(entry => entry.Member).Should().Equal(Enumerable.Range(0, Math.Min(count, 20)).Select(number => $"due{number:00}"));
    }

    [Fact]
    public async Task A_score_is_that_of_the_member_alone()
    {
        await Fill(("a", 9, LastMillisecond), ("b", 0, 0));

        (await Port.Score(Index, "a", None)).Should().Be(Bands.Score(9, LastMillisecond));
        (await Port.Score(Index, "b", None)).Should().Be(0);
        (await Port.Score(Index, "c", None)).Should().BeNull();
        (await Port.Score(new StoreKey(0, "another"), "a", None)).Should().BeNull();
    }

    [Fact]
    public async Task The_entries_of_an_index_are_counted()
    {
        (await Port.CountEntries(Index, None)).Should().Be(0);

        await Fill(("a", 0, 1), ("b", 3, 1), ("c", 3, 2));

        (await Port.CountEntries(Index, None)).Should().Be(3);
    }

    [Fact]
    public async Task Counts_are_kept_over_all_time_and_in_the_bucket_of_now()
    {
        var clock = Dbos.Get<TimeProvider>();
        var before = CountBuckets.Of(clock.GetUtcNow());
        await Count("one", "two", "two");
        await Count("one");
        var after = CountBuckets.Of(clock.GetUtcNow());

        var lately = new Dictionary<string, long>();
        for (var bucket = before; bucket <= after; bucket++)
        {
            foreach (var (name, amount) in await Port.Counts(0, bucket, None))
            {
                lately[name] = lately.GetValueOrDefault(name) + amount;
            }
        }

        (await Port.Counts(0, bucket: null, None)).Should().BeEquivalentTo(new Dictionary<string, long> { ["one"] = 2, ["two"] = 2 });
        lately.Should().BeEquivalentTo(new Dictionary<string, long> { ["one"] = 2, ["two"] = 2 });
        (await Port.Counts(0, before - 1, None)).Should().BeEmpty();
    }

    private async Task Count(params string[] names) => (await Port.Commit(
        new Commit(0, $"record {Guid.NewGuid()}", 0, Bytes("v")) { Counts = names }, None)).Should().BeOfType<CommitOutcome.Done>();

    private async Task Fill(params (string Member, int Band, long Due)[] entries) => (await Port.Commit(
        new Commit(0, "record", 0, Bytes("v"))
        {
            Indexes = [.. entries.Select(entry => new IndexChange(Index.Name, entry.Member, Bands.Score(entry.Band, entry.Due)))],
        },
        None)).Should().BeOfType<CommitOutcome.Done>();
}

public sealed class BandOnRedis(RedisEngine engine) : BandTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class BandOnCluster(ClusterEngine engine) : BandTests(engine);

public sealed class BandOnSqlite(SqliteEngine engine) : BandTests(engine), IClassFixture<SqliteEngine>;
