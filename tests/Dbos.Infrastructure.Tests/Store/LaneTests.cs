using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class LaneTests(IEngine engine) : StoreTests(engine)
{
    private const string All = "turns";
    private const int Members = 24;
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    /// <summary>Each pair of an agent and a module has one; one agent's turns are its own.</summary>
    private static readonly Lane[] Lanes =
    [
        new("lane a x", "a:x", [All, "turns a", "turns x"]),
        new("lane a y", "a:y", [All, "turns a", "turns y"]),
        new("lane b x", "b:x", [All, "turns b", "turns x"]),
        new("lane", ":", [All]),
    ];

    private readonly LaneModel model = new();
    private readonly Dictionary<string, (Lane Lane, int Band)> places = [];
    private int version;

    [Fact]
    public async Task A_turn_comes_with_the_first_member_and_goes_with_the_last()
    {
        await Change(Enter("m0", Lanes[0], 3, due: 50));
        await Change(Enter("m1", Lanes[0], 3, due: 70), Enter("m2", Lanes[0], 4, due: 10));
        await Change(Leave("m0"));
        await Change(Leave("m1"), Leave("m2"));

        (await Port.CountEntries(new StoreKey(0, All), None)).Should().Be(0);
    }

    [Fact]
    public async Task A_lane_that_was_served_stands_behind_those_that_were_due_by_then()
    {
        var now = Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
        await Change(Enter("m0", Lanes[0], 0, due: 1), Enter("m1", Lanes[0], 0, due: 2), Enter("m2", Lanes[2], 0, due: now));

        await Take(now, limit: 1, (Lanes[0], 0));

        (await Port.Lowest(new StoreKey(0, All), null, long.MaxValue, 10, None)).Select(turn => turn.Member).Should().Equal("0b:x", "0a:x");
        await Change(Enter("m3", Lanes[0], 0, due: 1));
        await Change(Leave("m1"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task After_each_step_of_a_random_sequence_the_lanes_and_their_turns_are_those_of_the_model(int seed)
    {
        var random = new Random(seed);
        var clock = Dbos.Get<TimeProvider>();
        await Port.Commit([.. Enumerable.Range(0, Members).Select(number => new Commit(0, $"record:m{number}", 0, Bytes("task")))], None);
        for (var step = 0; step < 120; step++)
        {
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            if (random.Next(3) == 0)
            {
                await Take(now, limit: random.Next(1, 4), [.. Lanes.Select(lane => (lane, AnyBand(random))).Take(random.Next(1, 4))]);
            }
            else
            {
                await Change([.. Enumerable.Range(0, random.Next(1, 4)).SelectMany(_ => AnyChange(random, now))]);
            }
        }
    }

    private static int AnyBand(Random random) => random.Next(3) * 4;

    /// <summary>A member that waits moves or goes; one that does not enters.</summary>
    private IEnumerable<LaneChange> AnyChange(Random random, long now)
    {
        var member = $"m{random.Next(Members)}";
        var isWaiting = places.ContainsKey(member);
        if (isWaiting)
        {
            yield return Leave(member);
        }

        if (!isWaiting || random.Next(2) == 0)
        {
            yield return Enter(member, Lanes[random.Next(Lanes.Length)], AnyBand(random), now + random.Next(-20_000, 5_000));
        }
    }

    private LaneChange Enter(string member, Lane lane, int band, long due)
    {
        places[member] = (lane, band);
        model.Enter(lane, band, member, due);
        return new LaneChange(lane, band, member, due);
    }

    private LaneChange Leave(string member)
    {
        places.Remove(member, out var place);
        model.Leave(place.Lane, place.Band, member);
        return new LaneChange(place.Lane, place.Band, member, null);
    }

    private async Task Change(params LaneChange[] changes)
    {
        (await Port.Commit(new Commit(0, "record", version++, Bytes("v")) { Lanes = changes }, None)).Should().BeOfType<CommitOutcome.Done>();
        await Compare();
    }

    private async Task Take(long due, int limit, params (Lane Lane, int Band)[] from)
    {
        var sources = from.Distinct().Select(place => new TakeSource(place.Lane, place.Band, "owner", [], ["held"])).ToArray();
        var candidates = (
            from source in sources
            from member in model.MembersOf(source.Lane, source.Band)
            where member.Value <= due
            select (Candidate: new Candidate(member.Key, $"record:{member.Key}", source), Source: source)).ToArray();
        await EnsureRecords(candidates.Select(one => one.Candidate.Record));

        var now = Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
        var taken = await Port.Take(
            new Take(
                0,
                [.. candidates.Select(one => one.Candidate)],
                due,
                ServedAt: now,
                Lease,
                limit,
                ByteBudget: 1_000_000,
                AtLeastOne: false,
                new TakeEvent(Bytes("{"), Bytes(","), Bytes("}")),
                Count: "taken",
                TellsEnd: false),
            None);

        taken.Select(delivery => delivery.Member).Should().Equal(candidates.Take(limit).Select(one => one.Candidate.Member));
        foreach (var served in candidates.Take(limit).GroupBy(one => one.Source, one => one.Candidate.Member))
        {
            model.Serve(served.Key.Lane, served.Key.Band, served, now);
            served.ToList().ForEach(member => places.Remove(member));
        }

        await Compare();
    }

    private async Task EnsureRecords(IEnumerable<string> records) =>
        await Port.Commit([.. records.Select(record => new Commit(0, record, 0, Bytes("task"))), new Commit(0, "any", 0, Bytes("v"))], None);

    private async Task Compare()
    {
        foreach (var turns in Lanes.SelectMany(lane => lane.Turns).Distinct())
        {
            (await Entries(turns)).Should().Equal(model.Turns(turns), turns);
        }

        foreach (var lane in Lanes)
        {
            (await Entries(lane.Index)).Should().Equal(model.Entries(lane), lane.Index);
        }
    }

    private async Task<IEnumerable<(string Member, long Score)>> Entries(string index) =>
        (await Port.Lowest(new StoreKey(0, index), null, long.MaxValue, 1_000, None)).Select(entry => (entry.Member, entry.Score));
}

public sealed class LaneOnRedis(RedisEngine engine) : LaneTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class LaneOnCluster(ClusterEngine engine) : LaneTests(engine);

public sealed class LaneOnSqlite(SqliteEngine engine) : LaneTests(engine), IClassFixture<SqliteEngine>;
