using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class NameSliceTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task Every_name_that_begins_so_comes_at_least_once_in_slices()
    {
        var expected = new HashSet<StoreKey>();
        for (var number = 0; number < 2_500; number += 100)
        {
            var partition = number / 100 % Port.Partitions;
            var commits = Enumerable.Range(number, 100)
                .Select(one => new Commit(partition, $"record:{one}", 0, Bytes("v")) { Indexes = [new($"index:{one / 2}", $"m{one}", one)] })
                .ToArray();
            await Port.Commit(commits, None);
            expected.UnionWith(commits.Select(commit => new StoreKey(partition, commit.Record)));
            expected.UnionWith(commits.Select(commit => new StoreKey(partition, commit.Indexes[0].Index)));
        }

        await Port.Commit([new Commit(0, "other:1", 0, Bytes("v")) { Indexes = [new("recorded", "x", 1)] }], None);

        var slices = await Slices(["record:", "index:"]);

        expected.SymmetricExceptWith(slices.SelectMany(slice => slice.Names).Distinct());
        expected.Should().BeEmpty("nothing is missing, and nothing else came");
        slices.Should().HaveCountGreaterThan(2).And.OnlyContain(slice => slice.Names.Count < 2_000);
    }

    [Fact]
    public async Task Names_that_stay_come_although_others_go_meanwhile()
    {
        await Port.Commit([.. Enumerable.Range(0, 2_500).Select(number => new Commit(0, $"record:{number}", 0, Bytes("v")))], None);

        var found = new HashSet<string>();
        string? cursor = null;
        do
        {
            var slice = await Port.Names(["record:"], cursor, None);
            found.UnionWith(slice.Names.Select(name => name.Name));
            await Port.Commit(
                [.. slice.Names.Where(IsOdd).Distinct().Select(name => new Commit(0, name.Name, 1, Bytes("v")) { Deletes = true }), new Commit(0, "any", 0, Bytes("v"))],
                None);
            cursor = slice.Cursor;
        }
        while (cursor is not null);

        found.SymmetricExceptWith(Enumerable.Range(0, 2_500).Select(number => $"record:{number}"));
        found.Should().BeEmpty("nothing is missing, and nothing else came");

        static bool IsOdd(StoreKey name) => (name.Name[^1] - '0') % 2 == 1;
    }

    [Fact]
    public async Task The_names_of_marks_are_among_them()
    {
        await Port.Commit(
            [.. Enumerable.Range(0, 1_500).Select(number => new Commit(0, $"record:{number}", 0, Bytes("v")) { Mark = new Mark($"mark:{number}", Bytes("m"), TimeSpan.FromHours(1)) })],
            None);

        var names = (await Slices(["mark:"])).SelectMany(slice => slice.Names).Select(name => name.Name).ToHashSet();

        names.SymmetricExceptWith(Enumerable.Range(0, 1_500).Select(number => $"mark:{number}"));
        names.Should().BeEmpty("nothing is missing, and nothing else came");
    }

    [Fact]
    public async Task An_empty_store_has_no_names() =>
        (await Slices(["record:"])).SelectMany(slice => slice.Names).Should().BeEmpty();

    private async Task<List<NameSlice>> Slices(string[] prefixes)
    {
        var slices = new List<NameSlice>();
        string? cursor = null;
        do
        {
            slices.Add(await Port.Names(prefixes, cursor, None));
            cursor = slices[^1].Cursor;
            slices.Should().HaveCountLessThan(100);
        }
        while (cursor is not null);
        return slices;
    }
}

public sealed class NameSliceOnRedis(RedisEngine engine) : NameSliceTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class NameSliceOnCluster(ClusterEngine engine) : NameSliceTests(engine);

public sealed class NameSliceOnSqlite(SqliteEngine engine) : NameSliceTests(engine), IClassFixture<SqliteEngine>;
