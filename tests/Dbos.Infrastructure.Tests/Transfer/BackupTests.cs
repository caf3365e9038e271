using System.Collections.Concurrent;
using System.Globalization;
using Dbos.Application.Agents;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Transfer;

/// <summary>The backups of docs/operations.md, taken while the store is written to.</summary>
public sealed class BackupTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_Redis_that_is_restored_from_a_copy_of_the_snapshot_has_all_that_was_acknowledged_before_it()
    {
        var redis = new RedisEngine();
        await redis.InitializeAsync();
        RedisEngine? restored = null;
        try
        {
            await using var dbos = await redis.Open(new OpenOptions());
            var acknowledged = await BackUpUnderLoad(dbos, async () =>
            {
                await redis.Server.Ask("BGSAVE");
                await Eventually.True(
                    async () => (await redis.Server.Ask("INFO", "persistence")).Contains("rdb_bgsave_in_progress:0"), Patience, "the snapshot is taken");
                var data = (await redis.Server.Ask("CONFIG", "GET", "dir")).Split('\n')[1];
                File.Copy(Path.Combine(data, "dump.rdb"), Path.Combine(folder.Path, "dump.rdb"));
            });

            restored = await Restore();
            await using var again = await restored.Open(
                new OpenOptions { Settings = settings => settings with { KeyPrefix = dbos.Settings.KeyPrefix } });
            await ShouldHold(again, acknowledged);
        }
        finally
        {
            await (restored?.DisposeAsync() ?? Task.CompletedTask);
            await redis.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_copy_of_the_embedded_stores_file_has_all_that_was_acknowledged_before_it()
    {
        using var engine = new SqliteEngine();
        await using var dbos = await engine.Open(new OpenOptions());
        var acknowledged = await BackUpUnderLoad(dbos, async () =>
        {
            await using var connection = SqliteEngine.Connect(dbos.Settings);
            await using var command = connection.CreateCommand();
            command.CommandText = $"VACUUM INTO '{Path.Combine(folder.Path, "dbos.db")}'";
            await command.ExecuteNonQueryAsync();
        });

        await using var again = SqliteEngine.Start(dbos.Settings with { DataDirectory = folder.Path }, new OpenOptions());

        await again.Get<IStoreConnection>().Open(default);
        await ShouldHold(again, acknowledged);
    }

    /// <summary>From the snapshot, without an append-only file; then with one, and with it started as ever.</summary>
    private async Task<RedisEngine> Restore()
    {
        var once = new RedisEngine { ServerOptions = ["--dir", folder.Path, "--appendonly", "no"] };
        await once.InitializeAsync();
        (await once.Server.Ask("CONFIG", "SET", "appendonly", "yes")).Should().Be("OK");
        await Eventually.True(
            async () => (await once.Server.Ask("INFO", "persistence")).Contains("aof_rewrite_in_progress:0"), Patience, "the append-only file is written");
        await once.Server.Stop();
        await once.DisposeAsync();

        // What is there from now on comes from that file alone.
        File.Delete(Path.Combine(folder.Path, "dump.rdb"));
        var usual = new RedisEngine { ServerOptions = ["--dir", folder.Path] };
        await usual.InitializeAsync();
        return usual;
    }

    /// <returns>The ids of tasks whose writes were answered before the backup began.</returns>
    private static async Task<IReadOnlyList<string>> BackUpUnderLoad(OpenStore dbos, Func<Task> backUp)
    {
        var acknowledged = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var load = Write(dbos, acknowledged, stop.Token);
        await Eventually.True(() => acknowledged.Count >= 200, Patience, "200 writes are acknowledged");
        var before = acknowledged.ToArray();
        await backUp();
        await Eventually.True(() => acknowledged.Count > before.Length, Patience, "it is written to all the while");
        await stop.CancelAsync();
        await load;
        return before;
    }

    private static async Task Write(OpenStore dbos, ConcurrentQueue<string> acknowledged, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"t{number}");
            (await dbos.Send(Given.Task(id, agentId: $"a{number % 3}"))).Value.Duplicate.Should().BeFalse();
            acknowledged.Enqueue(id);
            (await dbos.Send(Given.Due(limit: 1))).Refusal.Should().BeNull();
            (await dbos.Send(Given.Heartbeat($"a{number % 3}"))).Refusal.Should().BeNull();
        }
    }

    private static async Task ShouldHold(OpenStore dbos, IReadOnlyList<string> acknowledged)
    {
        (await dbos.Send(new GetAgent("a1"))).Refusal.Should().BeNull();
        for (var number = 0; number < acknowledged.Count; number++)
        {
            (await dbos.Send(Given.Task(acknowledged[number], agentId: $"a{number % 3}"))).Value.Duplicate.Should().BeTrue();
        }

        await foreach (var slice in dbos.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace")))
        {
            slice.Inconsistencies.Should().BeEmpty();
        }
    }
}
