using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Sqlite;

/// <summary>The embedded store's folder belongs to one process, and outlives it.</summary>
public sealed class SqliteFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StoreSettings settings;

    public SqliteFolderTests() => settings = new StoreSettings { Address = StoreSettings.Embedded, DataDirectory = folder.Path };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_second_store_on_the_folder_is_refused_until_the_first_is_closed()
    {
        var first = Open();
        var second = Open;

        second.Should().Throw<DataDirectoryInUseException>().WithMessage($"*{folder.Path}*DATA_DIR*");
        await first.DisposeAsync();
        await Open().DisposeAsync();
    }

    [Fact]
    public async Task A_second_process_on_the_folder_ends_with_one_sentence()
    {
        await using var first = Open();

        await using var second = ChildProcess.Start("dotnet", [ProductFiles.ApiAssembly], new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = StoreSettings.Embedded,
            ["DATA_DIR"] = folder.Path,
            ["PORT"] = $"{FreePort.Find()}",
        });

        (await second.WaitForExit(TimeSpan.FromSeconds(30))).Should().Be(1);
        second.Output.Should().Contain($"the data directory {folder.Path} is used by another DBOS");
    }

    [Fact]
    public async Task Everything_is_there_when_the_store_is_opened_again()
    {
        IReadOnlyList<string> before;
        await using (var first = Open())
        {
            await first.Send(Given.Heartbeat());
            await first.Send(Given.State());
            await first.Send(Given.Result());
            await first.Send(Given.Task());
            await first.Send(Given.Heartbeat(string.Empty));
            before = await first.Lines();
        }

        await using var second = Open();

        (await second.Lines()).Should().Equal(before).And.HaveCountGreaterThan(10);
        (await second.Send(Given.Result())).Value.Duplicate.Should().BeTrue();
    }

    [Fact]
    public async Task Closing_leaves_everything_in_the_one_file()
    {
        await using (var first = Open())
        {
            await first.SendAll(Enumerable.Range(0, 200).Select(number => Given.Result($"r{number}")));
            new FileInfo(Wal).Length.Should().BePositive("the log is where writes go first");
        }

        (File.Exists(Wal) ? new FileInfo(Wal).Length : 0).Should().Be(0);
        File.Delete(Wal);
        await using var second = Open();
        (await second.Send(Given.Result("r199"))).Value.Duplicate.Should().BeTrue();
    }

    [Fact]
    public async Task Writes_that_wait_when_the_store_is_closed_are_written_first()
    {
        var first = Open();
        var database = first.Get<SqliteDatabase>();
        var writes = Enumerable.Range(0, 300).Select(number => Write($"mark{number}")).ToArray();

        await first.DisposeAsync();

        (await Task.WhenAll(writes)).Should().OnlyContain(rows => rows == 1);
        await using var second = Open();
        (await second.Lines()).Should().HaveCount(300);
        var late = () => Write("late");
        await late.Should().ThrowAsync<Application.StoreUnavailableException>();

        Task<int> Write(string name) => database.Write(session => session.Run("INSERT INTO mark VALUES ($1, x'00', 1)", name), default);
    }

    private string Wal => Path.Combine(folder.Path, "dbos.db-wal");

    private OpenStore Open() => SqliteEngine.Start(settings, new OpenOptions());
}
