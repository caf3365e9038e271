using System.Text;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class IndexTests(IEngine engine) : StoreTests(engine)
{
    private static readonly StoreKey Index = new(0, "index");

    /// <summary>In the order of their UTF-8 bytes, which for the last three is not that of their UTF-16 units.</summary>
    private static readonly string[] Spellings = ["%", "%3A", ":", "A", "a", "a b", "a%b", "a:b", "aa", "é", "ж", "\uE000", "\uFFFD", "\U0001F600"];

    [Fact]
    public void The_spellings_of_these_tests_are_in_the_order_of_their_bytes()
    {
        Spellings.Should().Equal(Spellings.OrderBy(text => Convert.ToHexString(Encoding.UTF8.GetBytes(text)), StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_lowest_come_by_score_and_then_by_bytes_up_to_the_score_asked_for()
    {
        await Fill(("z", 1), ("b", 2), ("a", 2), ("c", 3), ("d", 4));

        Told(await Port.Lowest(Index, above: null, upTo: 3, count: 10, None)).Should().Equal("z=1", "a=2", "b=2", "c=3");
        Told(await Port.Lowest(Index, above: null, upTo: 3, count: 2, None)).Should().Equal("z=1", "a=2");
        Told(await Port.Lowest(Index, above: null, upTo: 0, count: 2, None)).Should().BeEmpty();
    }

    [Fact]
    public async Task The_highest_come_by_score_and_then_by_bytes_both_descending()
    {
        await Fill(("z", 1), ("b", 2), ("a", 2), ("c", 3));

        Told(await Port.Highest(Index, below: null, count: 10, None)).Should().Equal("c=3", "b=2", "a=2", "z=1");
        Told(await Port.Highest(Index, below: null, count: 1, None)).Should().Equal("c=3");
    }

    [Theory]
    [InlineData(3, "c", "b=2 a=2 z=1")]
    [InlineData(2, "b", "a=2 z=1")]
    [InlineData(2, "a", "z=1")]
    [InlineData(2, "aa", "a=2 z=1")]
    [InlineData(1, "z", "")]
    [InlineData(9, "", "c=3 b=2 a=2 z=1")]
    public async Task The_highest_below_a_cursor_are_those_behind_it_whether_or_not_it_is_still_there(long score, string member, string expected)
    {
        await Fill(("z", 1), ("b", 2), ("a", 2), ("c", 3));

        var found = await Port.Highest(Index, new PageCursor(score, member), count: 10, None);

        string.Join(' ', Told(found)).Should().Be(expected);
    }

    [Fact]
    public async Task Members_come_in_the_order_of_their_bytes_after_the_one_given()
    {
        await Fill([.. Spellings.Reverse().Select(member => (member, 0L))]);

        Members(await Port.ByMember(Index, after: null, count: 100, None)).Should().Equal(Spellings);
        Members(await Port.ByMember(Index, after: null, count: 3, None)).Should().Equal(Spellings[..3]);
        for (var at = 0; at < Spellings.Length; at++)
        {
            Members(await Port.ByMember(Index, Spellings[at], count: 100, None)).Should().Equal(Spellings[(at + 1)..]);
        }

        Members(await Port.ByMember(Index, after: "a;", count: 1, None)).Should().Equal(["aa"], "the one after need not be there");
    }

    [Fact]
    public async Task Equal_scores_are_told_apart_by_bytes_in_both_directions()
    {
        await Fill([.. Spellings.Select(member => (member, 5L))]);

        Members(await Port.Lowest(Index, above: null, upTo: 5, count: 100, None)).Should().Equal(Spellings);
        Members(await Port.Highest(Index, below: null, count: 100, None)).Should().Equal(Spellings.Reverse());
        for (var at = 0; at < Spellings.Length; at++)
        {
            Members(await Port.Highest(Index, new PageCursor(5, Spellings[at]), count: 100, None)).Should().Equal(Spellings[..at].Reverse());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(400)]
    public async Task Hundreds_of_one_score_are_paged_through_with_none_twice_and_none_missing(int page)
    {
        var entries = Enumerable.Range(0, 300).Select(number => ($"m{number}", 50L))
            .Concat(Enumerable.Range(0, 50).Select(number => ($"n{number}", (long)number + 40)))
            .ToArray();
        await Fill(entries);

        var paged = new List<IndexEntry>();
        PageCursor? cursor = null;
        while (await Port.Highest(Index, cursor, page, None) is { Count: > 0 } some)
        {
            some.Should().HaveCountLessThanOrEqualTo(page);
            paged.AddRange(some);
            paged.Should().HaveCountLessThanOrEqualTo(entries.Length);
            cursor = new PageCursor(some[^1].Score, some[^1].Member);
        }

        var sorted = entries.Select(entry => new IndexEntry(0, entry.Item1, entry.Item2)).ToList();
        sorted.Sort(Orders.Highest);
        paged.Should().Equal(sorted);
    }

    [Theory]
    [InlineData(3, "c", "d=4")]
    [InlineData(2, "b", "c=3 d=4")]
    [InlineData(2, "aa", "b=2 c=3 d=4")]
    [InlineData(2, "a", "b=2 c=3 d=4")]
    [InlineData(2, "", "a=2 b=2 c=3 d=4")]
    [InlineData(1, "zz", "a=2 b=2 c=3 d=4")]
    [InlineData(5, "a", "")]
    public async Task The_lowest_above_a_cursor_are_those_behind_it_whether_or_not_it_is_still_there(long score, string member, string expected)
    {
        await Fill(("z", 1), ("b", 2), ("a", 2), ("c", 3), ("d", 4), ("e", 9));

        string.Join(' ', Told(await Port.Lowest(Index, new PageCursor(score, member), upTo: 8, count: 10, None))).Should().Be(expected);
        string.Join(' ', Told(await Port.Lowest(Index, new PageCursor(score, member), upTo: 8, count: 1, None)))
            .Should().Be(expected.Split(' ')[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_score_is_paged_through_though_what_was_paged_leaves_and_others_come(bool isUp)
    {
        string[] members = [.. Enumerable.Range(0, 100).Select(number => $"m{number}"), .. Spellings];
        await Fill([.. members.Select(member => (member, 5L))]);
        var left = new List<string>();
        PageCursor? cursor = null;
        while (await Next() is { Count: > 0 } some)
        {
            left.AddRange(Members(some));
            cursor = new PageCursor(some[^1].Score, some[^1].Member);
            await Change([.. some.Select(entry => new IndexChange(Index.Name, entry.Member, null)), new(Index.Name, isUp ? " before" : "\U0001F601", 5)]);
        }

        var sorted = members.Select(member => new IndexEntry(0, member, 5)).ToList();
        sorted.Sort(isUp ? Orders.Lowest : Orders.Highest);
        left.Should().Equal(Members(sorted));

        Task<IReadOnlyList<IndexEntry>> Next() =>
            isUp ? Port.Lowest(Index, cursor, upTo: 5, count: 7, None) : Port.Highest(Index, cursor, count: 7, None);
    }

    [Fact]
    public async Task Scores_are_exact_to_the_millisecond_of_the_last_year()
    {
        const long Latest = 253_402_300_799_999;
        await Fill(("before", Latest - 1), ("last", Latest));

        Told(await Port.Lowest(Index, above: null, upTo: Latest - 1, count: 10, None)).Should().Equal($"before={Latest - 1}");
        Told(await Port.Highest(Index, below: null, count: 1, None)).Should().Equal($"last={Latest}");
    }

    [Fact]
    public async Task An_index_nobody_wrote_to_is_empty()
    {
        (await Port.Lowest(Index, null, long.MaxValue, 10, None)).Should().BeEmpty();
        (await Port.Highest(Index, null, 10, None)).Should().BeEmpty();
        (await Port.ByMember(Index, null, 10, None)).Should().BeEmpty();
    }

    private static IEnumerable<string> Told(IEnumerable<IndexEntry> entries) => entries.Select(entry => $"{entry.Member}={entry.Score}");

    private static IEnumerable<string> Members(IEnumerable<IndexEntry> entries) => entries.Select(entry => entry.Member);

    private Task Fill(params (string Member, long Score)[] entries) =>
        Change([.. entries.Select(entry => new IndexChange(Index.Name, entry.Member, entry.Score))]);

    private async Task Change(IndexChange[] changes)
    {
        var commit = new Commit(0, $"record {Guid.NewGuid()}", 0, Bytes("v1")) { Indexes = changes };
        (await Port.Commit(commit, None)).Should().BeOfType<CommitOutcome.Done>();
    }
}

public sealed class IndexOnRedis(RedisEngine engine) : IndexTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class IndexOnCluster(ClusterEngine engine) : IndexTests(engine);

public sealed class IndexOnSqlite(SqliteEngine engine) : IndexTests(engine), IClassFixture<SqliteEngine>;
