using System.Globalization;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class EventCapTests(IEngine engine) : StoreTests(engine)
{
    private const int Kept = 100;

    /// <summary>A log may grow by a tenth before it is cut back.</summary>
    private const int Most = Kept + (Kept / 10);

    /// <summary>The embedded store cuts back every thousand writes.</summary>
    private const int Told = 2_000;

    protected override OpenOptions Options { get; } = new()
    {
        Settings = settings => settings with { Partitions = 1, EventRetention = Kept },
    };

    [Fact]
    public async Task Events_come_newest_first_and_no_more_than_asked_for()
    {
        await AppendAll(EventLogName.History, 5);

        (await Newest(EventLogName.History, 3)).Should().Equal("4", "3", "2");
        (await Newest(EventLogName.History, 10)).Should().Equal("4", "3", "2", "1", "0");
        (await Newest(EventLogName.Refusals, 10)).Should().BeEmpty();
        (await Port.CountEvents(0, EventLogName.History, None)).Should().Be(5);
        (await Port.CountEvents(0, EventLogName.Refusals, None)).Should().Be(0);
    }

    [Fact]
    public async Task The_history_is_trimmed_to_its_cap_and_keeps_the_newest()
    {
        await AppendAll(EventLogName.History, Told);

        var newest = await Newest(EventLogName.History, Told);

        newest.Should().HaveCountGreaterThanOrEqualTo(Kept).And.HaveCountLessThanOrEqualTo(Most);
        newest.Should().Equal(Enumerable.Range(0, newest.Length).Select(age => Number(Told - 1 - age)));
        (await Port.CountEvents(0, EventLogName.History, None)).Should().Be(newest.Length);
    }

    [Fact]
    public async Task Commits_trim_the_history_too()
    {
        for (var version = 0; version < Told; version += 1)
        {
            await Port.Commit(new Commit(0, "record", version, Bytes("v")) { Events = [Bytes(Number(version))] }, None);
        }

        var newest = await Newest(EventLogName.History, Told);

        newest.Should().HaveCountGreaterThanOrEqualTo(Kept).And.HaveCountLessThanOrEqualTo(Most);
        newest[0].Should().Be(Number(Told - 1));
    }

    [Fact]
    public async Task Refusals_have_a_cap_of_their_own_and_push_no_history_out()
    {
        await AppendAll(EventLogName.History, Kept);

        await AppendAll(EventLogName.Refusals, Told - Kept);

        (await Newest(EventLogName.History, Told)).Should().HaveCount(Kept);
        (await Newest(EventLogName.Refusals, Told)).Length.Should().BeInRange(Kept / 10, Most / 10);
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task AppendAll(EventLogName log, int count)
    {
        for (var number = 0; number < count; number++)
        {
            await Port.Append(0, log, Bytes(Number(number)), None);
        }
    }

    private async Task<string[]> Newest(EventLogName log, int count) =>
        [.. (await Port.NewestEvents(0, log, skip: 0, count, None)).Select(Text)];
}

public sealed class EventCapOnRedis(RedisEngine engine) : EventCapTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventCapOnCluster(ClusterEngine engine) : EventCapTests(engine);

public sealed class EventCapOnSqlite(SqliteEngine engine) : EventCapTests(engine), IClassFixture<SqliteEngine>;
