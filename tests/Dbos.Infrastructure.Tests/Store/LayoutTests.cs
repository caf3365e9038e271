using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Transfer;
using Dbos.Infrastructure.Transfer;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>What a store says of itself, and when it is served.</summary>
/// <param name="partitions">Of a new store.</param>
public abstract class LayoutTests(IEngine engine, int partitions) : StoreTests(engine)
{
    private IStoreLayout Layout => Dbos.Get<IStoreLayout>();

    [Fact]
    public async Task A_new_store_has_the_current_schema_version_and_is_served()
    {
        (await Layout.Open(None)).Should().Be(new StoreLayout(Dbos.Partitions, StoreLayout.CurrentSchema, MovedFrom: null));
        await Serve();
    }

    [Fact]
    public void A_new_store_has_one_partition_and_more_where_servers_share_them() =>
        Dbos.Partitions.Should().Be(partitions);

    [Theory]
    [InlineData(null, "*has schema version 1, older than this DBOS's 3: run 'export FILE' and 'clear FILE' with the DBOS that wrote it, then 'import FILE' with this one")]
    [InlineData(2, "*has schema version 2, older than this DBOS's 3: run 'export FILE' and 'clear FILE' with the DBOS that wrote it, then 'import FILE' with this one")]
    [InlineData(4, "*has schema version 4, newer than this DBOS's 3: start the DBOS that wrote it, or a later one")]
    public async Task Another_schema_version_is_refused_with_a_sentence_that_says_what_to_do(int? version, string sentence)
    {
        await WriteSchemaVersion(version);

        (await FluentActions.Awaiting(Serve).Should().ThrowAsync<LayoutMismatchException>()).WithMessage(sentence);
        await FluentActions.Awaiting(Serve).Should().ThrowAsync<LayoutMismatchException>("looking changes nothing");
    }

    [Theory]
    [InlineData(2, "has schema version 2, older than")]
    [InlineData(4, "has schema version 4, newer than")]
    public async Task A_process_that_would_serve_another_schema_version_ends_with_that_sentence(int? version, string sentence)
    {
        await WriteSchemaVersion(version);
        await Dbos.DisposeAsync();

        await using var process = ChildProcess.Start("dotnet", [ProductFiles.ApiAssembly], new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = Dbos.Settings.Address,
            ["KEY_PREFIX"] = Dbos.Settings.KeyPrefix,
            ["DATA_DIR"] = Dbos.Settings.DataDirectory,
            ["PORT"] = $"{FreePort.Find()}",
        });

        (await process.WaitForExit(TimeSpan.FromSeconds(30))).Should().Be(1);
        process.Output.Should().Contain($"{Dbos.Settings.Subject} {sentence}");
    }

    [Fact]
    public async Task A_store_that_is_being_moved_is_empty_and_is_not_served_before_the_end()
    {
        await Dbos.Send(Given.Heartbeat());
        await Dbos.Send(Given.Task());
        await Dbos.Send(Given.Result(string.Empty));

        await Layout.BeginMove("digest", None);

        (await Dbos.Lines()).Should().BeEmpty();
        (await Layout.Open(None)).MovedFrom.Should().Be("digest");
        (await FluentActions.Awaiting(Serve).Should().ThrowAsync<LayoutMismatchException>()).WithMessage("*is being moved*import FILE*");
        await Layout.EndMove(None);
        await Serve();
        (await Dbos.Send(Given.Task())).Value.Duplicate.Should().BeFalse();
    }

    [Fact]
    public async Task A_move_leaves_an_older_store_at_the_current_schema_version()
    {
        await WriteSchemaVersion(null);

        await Layout.BeginMove("digest", None);
        await Layout.EndMove(None);

        await Serve();
    }

    [Fact]
    public async Task A_store_of_an_older_schema_is_neither_exported_nor_cleared()
    {
        await Dbos.Send(Given.Task());
        await WriteSchemaVersion(2);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "export.jsonl.gz");

        var export = () => Dbos.Get<IStoreTransfer>().Export(file);

        (await export.Should().ThrowAsync<LayoutMismatchException>()).WithMessage("*run 'export FILE' and 'clear FILE' with the DBOS that wrote it*");
        File.Exists(file).Should().BeFalse();
    }

    [Fact]
    public async Task A_store_of_an_older_schema_that_its_own_DBOS_exported_and_cleared_is_imported_in_place()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "export.jsonl.gz");
        var digest = await Schema2File.Write(file);
        await Layout.BeginMove(digest, None);
        await WriteSchemaVersion(2);

        (await Dbos.Get<IStoreTransfer>().Import(file)).AreEqual.Should().BeTrue();

        await Serve();
        (await Layout.Open(None)).SchemaVersion.Should().Be(StoreLayout.CurrentSchema);
        (await Dbos.Send(Given.Task("pending"))).Value.Duplicate.Should().BeTrue();
    }

    /// <param name="version">Null: none is recorded.</param>
    protected abstract Task WriteSchemaVersion(int? version);

    protected Task Serve() => Dbos.Get<IStoreConnection>().Open(None);
}

public abstract class LayoutOnAnyRedis(AnyRedisEngine engine, int partitions) : LayoutTests(engine, partitions)
{
    [Fact]
    public async Task A_store_is_served_while_somebody_probes_it()
    {
        var layout = Dbos.Get<IStoreLayout>();
        (await layout.IsServed(None)).Should().BeFalse();

        await Dbos.Probe();
        (await layout.IsServed(None)).Should().BeFalse("it was probed, and is no more");

        using var stop = new CancellationTokenSource();
        var serving = Probe(stop.Token);
        (await layout.IsServed(None)).Should().BeTrue();
        await stop.CancelAsync();
        await serving;
    }

    [Fact]
    public async Task A_move_takes_out_every_key_of_whatever_number_of_partitions_and_none_of_another_store()
    {
        var other = await Open(Options);
        await other.Send(Given.Task());
        var redis = engine.Operator.GetDatabase();
        await redis.StringSetAsync($"{{{Dbos.Settings.KeyPrefix}:99}}:any", "value");
        await redis.StringSetAsync($"{{{Dbos.Settings.KeyPrefix}:0:other}}:any", "another store's");

        await Dbos.Get<IStoreLayout>().BeginMove("digest", None);

        (await redis.KeyExistsAsync($"{{{Dbos.Settings.KeyPrefix}:99}}:any")).Should().BeFalse();
        (await redis.KeyExistsAsync($"{{{Dbos.Settings.KeyPrefix}:0:other}}:any")).Should().BeTrue();
        (await other.Send(Given.Task())).Value.Duplicate.Should().BeTrue();
    }

    protected override async Task WriteSchemaVersion(int? version)
    {
        var layout = $"{{{Dbos.Settings.KeyPrefix}:0}}:layout";
        await engine.Operator.GetDatabase().HashDeleteAsync(layout, "schema");
        if (version is { } some)
        {
            await engine.Operator.GetDatabase().HashSetAsync(layout, "schema", some);
        }
    }

    private async Task Probe(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Dbos.Probe();
            await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }
}

public sealed class LayoutOnRedis(RedisEngine engine) : LayoutOnAnyRedis(engine, partitions: 1), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class LayoutOnCluster(ClusterEngine engine) : LayoutOnAnyRedis(engine, partitions: 64);

public sealed class LayoutOnSqlite(SqliteEngine engine) : LayoutTests(engine, partitions: 1), IClassFixture<SqliteEngine>
{
    protected override async Task WriteSchemaVersion(int? version)
    {
        await using var connection = SqliteEngine.Connect(Dbos.Settings);
        await using var command = connection.CreateCommand();
        command.CommandText = version is { } some ? $"UPDATE layout SET schema_version = {some}" : "DROP TABLE layout";
        await command.ExecuteNonQueryAsync();
    }
}
