using System.Collections.Concurrent;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class TakeTests(IEngine engine) : StoreTests(engine)
{
    private const string Held = "held";
    private const long Due = 100;
    private const string Odd = "a:b%\"\\é\U0001F600/";
    private static readonly Lane Waiting = new("waiting", "w", ["turns"]);
    private static readonly TakeSource Source = new(Waiting, Band: 0, Owner: "owner", Leaves: ["waiting too"], Enters: [Held, "held too"]);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_take_moves_members_counts_their_delivery_and_tells_of_it()
    {
        await Put("x", Due, "raw");
        await Put("y", Due, "raw");

        var effect = await Dbos.EffectOf(() => Take(["x", "y"]));

        effect.Should().Be(
            """
            + count taken 2, lately 2
            + events head{"x":1,"y":1}middle["owner"]tail,"timestamp":<now>,"timestamp_ms":<now>}
            + index held too x = <now+300>
            + index held too y = <now+300>
            + index held x = <now+300>
            + index held y = <now+300>
            - index turns 0w = 0 at 100
            - index waiting too x = 100
            - index waiting too y = 100
            - index waiting x = 100
            - index waiting y = 100
            - record record:x version 1 deliveries 0 document payload raw
            + record record:x version 2 deliveries 1 leased until <now+300> document payload raw
            - record record:y version 1 deliveries 0 document payload raw
            + record record:y version 2 deliveries 1 leased until <now+300> document payload raw
            """);
    }

    [Fact]
    public async Task A_delivery_holds_the_record_as_it_stands_then()
    {
        await Put("x", 7, "raw");

        var delivery = (await Take(["x"])).Should().ContainSingle().Subject;

        (delivery.Member, delivery.Score).Should().Be(("x", 7));
        var stored = (await Port.Find(new StoreKey(0, "record:x"), None))!;
        (delivery.Record.Version, delivery.Record.Deliveries, delivery.Record.LeasedUntil)
            .Should().Be((2, 1, stored.LeasedUntil)).And.Be((stored.Version, stored.Deliveries, stored.LeasedUntil));
        (Text(delivery.Record.Document), Text(delivery.Record.Payload)).Should().Be(("document", "raw"));
    }

    [Fact]
    public async Task At_most_the_limit_is_taken_in_the_order_of_the_candidates()
    {
        await PutAll(["a", "b", "c", "d"]);

        var taken = await Take(["c", "a", "d", "b"], take => take with { Limit = 2 });

        Members(taken).Should().Equal("c", "a");
    }

    [Fact]
    public async Task Only_what_is_due_is_taken()
    {
        await Put("late", Due + 1);
        await Put("just", Due);

        Members(await Take(["late", "just"])).Should().Equal("just");
    }

    [Fact]
    public async Task Candidates_that_are_taken_already_or_never_were_are_passed_over()
    {
        await PutAll(["a", "b", "c"]);
        await Take(["a"]);

        var taken = await Take(["a", "unknown", "b", "c"], take => take with { Limit = 2 });

        Members(taken).Should().Equal("b", "c");
    }

    [Fact]
    public async Task A_take_of_nothing_changes_nothing()
    {
        await Put("late", Due + 1);

        (await Dbos.EffectOf(() => Take(["late", "unknown"]))).Should().BeEmpty();
    }

    [Theory]
    [InlineData(250, false, 2)]
    [InlineData(216, false, 2)]
    [InlineData(215, false, 1)]
    [InlineData(50, false, 0)]
    [InlineData(50, true, 1)]
    [InlineData(-1, true, 1)]
    [InlineData(-1, false, 0)]
    public async Task Taking_stops_before_the_bytes_exceed_the_budget(int budget, bool atLeastOne, int expected)
    {
        // With the eight bytes of its document each is 108 bytes.
        await PutAll(["a", "b", "c"], payload: new string('p', 100));

        var taken = await Take(["a", "b", "c"], take => take with { ByteBudget = budget, AtLeastOne = atLeastOne });

        taken.Should().HaveCount(expected);
    }

    [Fact]
    public async Task The_delivery_number_grows_with_every_take_and_the_lease_can_be_ended()
    {
        await Put("x");
        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var taken = (await Take(["x"])).Should().ContainSingle().Subject.Record;
            taken.Deliveries.Should().Be(delivery);
            await Commit(new Commit(0, "record:x", taken.Version, Bytes("document"))
            {
                Lease = LeaseChange.Ends,
                Lanes = [new(Waiting, 0, "x", Due)],
            });
            (await Port.Find(new StoreKey(0, "record:x"), None))!.LeasedUntil.Should().BeNull();
        }
    }

    [Fact]
    public async Task A_lease_is_from_now_by_the_stores_clock()
    {
        await Put("x");
        var clock = Dbos.Get<TimeProvider>();
        var earliest = clock.GetUtcNow() + Lease;

        var leasedUntil = (await Take(["x"]))[0].Record.LeasedUntil;

        leasedUntil.Should().BeOnOrAfter(earliest.AddMilliseconds(-20)).And.BeOnOrBefore((clock.GetUtcNow() + Lease).AddMilliseconds(20));
    }

    [Fact]
    public async Task A_member_of_any_spelling_is_told_as_json()
    {
        await Put(Odd);

        await Take([Odd]);

        var told = (await Dbos.History())[0];
        var tokens = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, long>>(told["head".Length..told.IndexOf("middle", StringComparison.Ordinal)]);
        tokens.Should().Equal(new Dictionary<string, long> { [Odd] = 1 });
    }

    [Fact]
    public async Task The_event_tells_once_whose_members_were_taken_and_of_no_others()
    {
        TakeSource[] sources = [.. new[] { Odd, "owner", Odd, string.Empty, "passed over" }.Select((owner, number) => new TakeSource(new Lane($"lane {number}", $"lane {number}", ["turns"]), 0, owner, [], []))];
        for (var number = 0; number < sources.Length; number++)
        {
            await Commit(new Commit(0, $"record {number}", 0, Bytes("document")) { Lanes = [new(sources[number].Lane, 0, $"m{number}", Due)] });
        }

        await Port.Take(
            TakeOf([]) with { Candidates = [.. sources.Select((source, number) => new Candidate($"m{number}", $"record {number}", source))], Limit = 4 }, None);

        var told = (await Dbos.History())[0];
        var owners = told[(told.IndexOf("middle", StringComparison.Ordinal) + "middle".Length)..told.IndexOf("tail", StringComparison.Ordinal)];
        System.Text.Json.JsonSerializer.Deserialize<string[]>(owners).Should().BeEquivalentTo(Odd, "owner");
    }

    [Fact]
    public async Task Takers_that_race_for_the_same_candidates_never_take_one_twice()
    {
        const int Tasks = 200;
        const int Takers = 8;
        var members = Enumerable.Range(0, Tasks).Select(number => $"m{number}").ToArray();
        await PutAll(members);
        var beside = await OpenBeside(Dbos);
        var taken = new ConcurrentBag<Delivery>();

        await Task.WhenAll(Enumerable.Range(0, Takers).Select(taker => Task.Run(async () =>
        {
            var port = (taker % 2 == 0 ? Dbos : beside).Port;
            while (await port.Take(TakeOf(members) with { Limit = 7 }, None) is { Count: > 0 } some)
            {
                some.Should().HaveCountLessThanOrEqualTo(7);
                foreach (var delivery in some)
                {
                    taken.Add(delivery);
                }
            }
        }))).WaitAsync(RacePatience);

        taken.Select(delivery => delivery.Member).Should().BeEquivalentTo(members);
        taken.Should().OnlyContain(delivery => delivery.Record.Deliveries == 1);
        (await Port.Lowest(new StoreKey(0, Waiting.Index), null, long.MaxValue, Tasks, None)).Should().BeEmpty();
        (await Port.Lowest(new StoreKey(0, Held), null, long.MaxValue, Tasks, None)).Should().HaveCount(Tasks);
    }

    private static IEnumerable<string> Members(IEnumerable<Delivery> taken) => taken.Select(delivery => delivery.Member);

    private static Take TakeOf(IEnumerable<string> members) => new(
        0,
        [.. members.Select(member => new Candidate(member, $"record:{member}", Source))],
        Due,
        ServedAt: Due,
        Lease,
        Limit: 100,
        ByteBudget: 1_000_000,
        AtLeastOne: false,
        new TakeEvent(Bytes("head"), Bytes("middle"), Bytes("tail")),
        Count: "taken",
        TellsEnd: false);

    private Task<IReadOnlyList<Delivery>> Take(IEnumerable<string> members, Func<Take, Take>? but = null) =>
        Port.Take((but ?? (take => take))(TakeOf(members)), None);

    private Task PutAll(IEnumerable<string> members, string payload = "") =>
        Task.WhenAll(members.Select(member => Put(member, Due, payload)));

    private Task Put(string member, long due = Due, string payload = "") => Commit(
        new Commit(0, $"record:{member}", 0, Bytes("document"))
        {
            Payload = payload.Length > 0 ? Bytes(payload) : null,
            Indexes = [new("waiting too", member, due)],
            Lanes = [new(Waiting, 0, member, due)],
        });

    private async Task Commit(Commit commit) => (await Port.Commit(commit, None)).Should().BeOfType<CommitOutcome.Done>();
}

public sealed class TakeOnRedis(RedisEngine engine) : TakeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TakeOnCluster(ClusterEngine engine) : TakeTests(engine);

public sealed class TakeOnSqlite(SqliteEngine engine) : TakeTests(engine), IClassFixture<SqliteEngine>;
