using System.Text;
using System.Text.RegularExpressions;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.Transfer;

/// <summary>A store of one engine and number of partitions, moved to another.</summary>
public abstract partial class TransferTests(IEngine from, IEngine into, int partitionsFrom = 16, int partitionsInto = 16) : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("dbos-test-");
    private OpenStore source = null!;
    private OpenStore target = null!;

    /// <summary>Of the latest delivery of each task that was taken.</summary>
    private readonly Dictionary<string, long> tokens = [];

    private string File => Path.Combine(folder.FullName, "export.jsonl.gz");

    public async Task InitializeAsync()
    {
        source = await from.Open(new OpenOptions { Settings = settings => settings with { Partitions = partitionsFrom } });
        target = await into.Open(new OpenOptions { Settings = settings => settings with { Partitions = partitionsInto } });
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await target.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Everything_arrives_where_it_belongs_and_is_counted()
    {
        await FillWithEveryKind(source);

        var exported = (await Transfer(source).Export(File)).Counts;
        var report = await Transfer(target).Import(File);

        exported.Should().Contain(new Dictionary<string, long>
        {
            ["agent"] = 2,
            ["module_state"] = 4,
            ["mark"] = 1,
            ["result"] = 30,
            ["task pending"] = 31,
            ["task inflight"] = 1,
            ["task completed"] = 1,
            ["task failed"] = 1,
            ["task cancelled"] = 1,
            ["refusal"] = 1,
        });
        report.Should().BeEquivalentTo(new ImportReport(exported, exported, AreEqual: true));
        (await Audit(target)).Should().BeEmpty();
    }

    [Fact]
    public async Task All_is_found_in_the_same_order_and_taken_so()
    {
        await FillWithEveryKind(source);
        await Move();

        (await Told(target, new GetEvents(10_000, EventFilter.Any, string.Empty))).Should().BeEquivalentTo(await Told(source, new GetEvents(10_000, EventFilter.Any, string.Empty)));
        (await States(target)).Should().Equal(await States(source)).And.HaveCount(4);
        foreach (var (agentId, moduleName) in new[] { ("a1", "bulk"), ("a2", "") })
        {
            var due = Given.Due(agentId, moduleName, limit: 100);
            var taken = (await target.Send(due)).Value.Select(task => task.Id);
            var expected = (await source.Send(due)).Value.Select(task => task.Id).ToArray();
            expected.Should().NotBeEmpty();
            ShouldBeTheSame(taken, expected);
        }

        var results = await Results(source);
        results.Should().HaveCount(30);
        ShouldBeTheSame(await Results(target), results);

        void ShouldBeTheSame(IEnumerable<string> after, IEnumerable<string> before)
        {
            if (source.Partitions == 1 && target.Partitions == 1)
            {
                after.Should().Equal(before);
            }
            else
            {
                after.Should().BeEquivalentTo(before, "the order over several partitions depends on which has which");
            }
        }
    }

    [Fact]
    public async Task What_was_done_before_is_a_replay_after_and_a_lease_is_still_held()
    {
        await FillWithEveryKind(source);
        await Move();

        (await target.Send(Given.Result("r1"))).Value.Duplicate.Should().BeTrue();
        (await target.Send(Given.Task("completed"))).Value.Duplicate.Should().BeTrue();
        (await target.Send(Given.Heartbeat("a9", alive: false), idempotencyKey: "named")).Value.Duplicate.Should().BeTrue();
        (await target.Send(new AckTask("held", 777))).Refusal!.Code.Should().Be(Domain.Answers.RefusalCode.LeaseLost);
        (await target.Send(new AckTask("held", tokens["held"]))).Value.Duplicate.Should().BeFalse();
        (await target.Send(new GetQueueStats())).Value.Totals["scheduled"].Should().Be(35);
    }

    [Fact]
    public async Task More_than_fits_into_one_slice_arrives()
    {
        await source.SendAll(Enumerable.Range(0, 1_200).Select(number => Given.Task($"t{number}", agentId: $"a{number % 7}", payload: new string('p', number))));

        var exported = (await Transfer(source).Export(File)).Counts;
        var report = await Transfer(target).Import(File);

        exported.Should().Contain("task pending", 1_200).And.Contain("event", 1_200);
        report.AreEqual.Should().BeTrue();
        (await Audit(target)).Should().BeEmpty();
        (await target.History(Partitioning.PartitionOf("t7", target.Partitions), count: 2_000)).Should().ContainSingle(told => told.Contains("\"t7\""), "events lie with their tasks");
    }

    [Fact]
    public async Task Into_a_store_that_is_not_empty_nothing_is_imported()
    {
        await source.Send(Given.Task());
        await Transfer(source).Export(File);
        await target.Send(Given.Task("another"));

        await Refused(target, () => Transfer(target).Import(File), "*is not empty*");
    }

    [Fact]
    public async Task Of_a_file_that_is_cut_off_nothing_is_imported()
    {
        await source.SendAll(Enumerable.Range(0, 200).Select(number => Given.Task($"t{number}")));
        await Transfer(source).Export(File);
        await using (var file = new FileStream(File, FileMode.Open))
        {
            file.SetLength(file.Length - 100);
        }

        await Refused(target, () => Transfer(target).Import(File), "*is not a whole export*");
    }

    [Fact]
    public async Task An_empty_store_is_not_exported_as_it_is_perhaps_not_the_one_that_was_meant()
    {
        await FluentActions.Awaiting(() => Transfer(source).Export(File)).Should().ThrowAsync<TransferRefusedException>();

        System.IO.File.Exists(File).Should().BeFalse();
    }

    [Fact]
    public async Task A_store_is_cleared_only_of_what_the_file_holds()
    {
        await source.Send(Given.Task());
        await Transfer(source).Export(File);
        await source.Send(new CancelTask("t1", "no longer wanted"));

        await Refused(source, () => Transfer(source).Clear(File), "*does not hold what*");
        await Transfer(source).Export(File);
        await Transfer(source).Clear(File);

        (await source.Lines()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_move_that_was_interrupted_is_ended_with_its_own_file_and_no_other()
    {
        await FillWithEveryKind(source);
        await Transfer(source).Export(File);
        await Transfer(source).Clear(File);

        // Half of an import.
        await source.Get<ISubjectTransfer<StoredCounter>>().Import([new StoredCounter("scheduled", 1)], default);
        await target.Send(Given.Task());
        await Transfer(target).Export($"{File}.other");

        await Refused(source, () => Transfer(source).Import($"{File}.other"), "*with another file*");
        await FluentActions.Awaiting(() => Transfer(source).Export(File)).Should().ThrowAsync<LayoutMismatchException>();
        await Transfer(source).Clear(File);
        (await Transfer(source).Import(File)).AreEqual.Should().BeTrue();
    }

    [Fact]
    public async Task What_does_not_arrive_as_it_was_exported_is_told_and_not_served()
    {
        var mark = new MarkLine("mark:ScheduleTask:named:t1:t1:k1", Encoding.UTF8.GetBytes("1 abc"), Lifetime: 5_000);
        await new ExportFile(File).Write(new ExportLine[] { mark, mark }.ToAsyncEnumerable(), DateTimeOffset.UnixEpoch);

        var report = await Transfer(target).Import(File);

        (report.AreEqual, report.Before["mark"], report.After["mark"]).Should().Be((false, 2, 1));
        var serve = () => target.Get<IStoreConnection>().Open(default);
        await serve.Should().ThrowAsync<LayoutMismatchException>();
    }

    private static IStoreTransfer Transfer(OpenStore store) => store.Get<IStoreTransfer>();

    private async Task FillWithEveryKind(OpenStore dbos)
    {
        await dbos.Send(Given.Heartbeat("a1"));
        await dbos.Send(Given.Heartbeat("a9", alive: false), idempotencyKey: "named");
        foreach (var (request, state, agent) in new[] { ("r1", "running", "a1"), ("r1", "started", "a2"), ("r2", "error", "a1"), (string.Empty, "started", "a1") })
        {
            (await dbos.Send(Given.State(request, state, agent))).Refusal.Should().BeNull();
        }

        (await dbos.Send(Given.State("r2", agentId: "a1"))).Refusal.Should().NotBeNull("it is a refusal to be moved");
        for (var number = 0; number < 30; number++)
        {
            await dbos.Send(Given.Result($"r{number}"));
            await dbos.Send(Given.Task($"bulk{number}", scheduledAt: Given.LongAgo + number, moduleName: "bulk", agentId: number % 3 == 0 ? "a2" : "a1", priority: number % 10));
        }

        foreach (var id in new[] { "held", "completed", "dead", "cancelled" })
        {
            await dbos.Send(Given.Task(id, maxRetries: 1, payload: $"payload of {id}"));
        }

        (await TakePings(dbos)).Should().Be(4);
        await dbos.Send(new AckTask("completed", tokens["completed"]));
        await dbos.Send(new CancelTask("cancelled", "no longer wanted"));
        await dbos.Send(Given.Nack(id: "dead", token: tokens["dead"]));
        (await TakePings(dbos)).Should().Be(1);
        await dbos.Send(Given.Nack(id: "dead", token: tokens["dead"]));
        await dbos.Send(Given.Task("later", scheduledAt: DateTimeOffset.UtcNow.AddDays(60).ToUnixTimeSeconds()));
    }

    private async Task<int> TakePings(OpenStore dbos)
    {
        var taken = (await dbos.Send(Given.Due("a1", "ping"))).Value;
        foreach (var task in taken)
        {
            tokens[task.Id] = task.LeaseToken;
        }

        return taken.Count;
    }

    private static async Task<IEnumerable<string>> Told(OpenStore store, GetEvents events) =>
        (await store.Send(events)).Value.Events.Select(told => EventId().Replace(Encoding.UTF8.GetString(told.Span), string.Empty));

    private static async Task<IEnumerable<string>> States(OpenStore store) =>
        (await store.Send(new ListModuleStates(string.Empty, string.Empty, new(100, string.Empty)))).Value.Items.Select(state => state.RequestId);

    private static async Task<IEnumerable<string>> Results(OpenStore store) =>
        (await store.Send(new ListResults("a1", new(100, string.Empty)))).Value.Items.Select(result => result.Id);

    private static async Task<IReadOnlyList<Inconsistency>> Audit(OpenStore store)
    {
        var found = new List<Inconsistency>();
        await foreach (var slice in store.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace")))
        {
            found.AddRange(slice.Inconsistencies);
        }

        return found;
    }

    private static async Task Refused(OpenStore store, Func<Task> act, string sentence)
    {
        var effect = await store.EffectOf(async () =>
            (await act.Should().ThrowAsync<TransferRefusedException>()).WithMessage(sentence));
        effect.Should().BeEmpty();
    }

    private async Task Move()
    {
        await Transfer(source).Export(File);
        (await Transfer(target).Import(File)).AreEqual.Should().BeTrue();
    }

    /// <summary>An id is of one store alone.</summary>
    [GeneratedRegex("^{\"id\":\"[0-9-]+\",")]
    private static partial Regex EventId();
}

public sealed class TransferToFewerPartitions(RedisEngine engine) : TransferTests(engine, engine, partitionsInto: 5), IClassFixture<RedisEngine>;

public sealed class TransferToRedis(SqliteEngine from, RedisEngine into)
    : TransferTests(from, into, partitionsInto: 1), IClassFixture<SqliteEngine>, IClassFixture<RedisEngine>;

public sealed class TransferToSqlite(RedisEngine from, SqliteEngine into)
    : TransferTests(from, into, partitionsFrom: 1), IClassFixture<RedisEngine>, IClassFixture<SqliteEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TransferToCluster(RedisEngine from, ClusterEngine into) : TransferTests(from, into, partitionsFrom: 1), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TransferFromCluster(ClusterEngine from, SqliteEngine into) : TransferTests(from, into), IClassFixture<SqliteEngine>;
