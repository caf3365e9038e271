using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Hosting;

public sealed class SettingsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("PORT", "abc")]
    [InlineData("PORT", "0")]
    [InlineData("PORT", "65536")]
    [InlineData("METRICS_PORT", "0")]
    [InlineData("METRICS_PORT", "on")]
    [InlineData("METRICS_PORT", "50051")]
    [InlineData("PARTITIONS", "0")]
    [InlineData("PARTITIONS", "1.5")]
    [InlineData("LEASE_SECONDS", "-1")]
    [InlineData("LEASE_SECONDS", "43201")]
    [InlineData("AGENT_TIMEOUT_SECONDS", "0")]
    [InlineData("MAX_RETRIES", "many")]
    [InlineData("MAX_RESULT_BYTES", "0")]
    [InlineData("EVENT_RETENTION", "0")]
    [InlineData("COMPLETED_TASK_RETENTION_SECONDS", "99999999999")]
    [InlineData("KEY_PREFIX", "a{b}")]
    [InlineData("DBOS_SERVER_ID", "a\tb")]
    [InlineData("DURABILITY", "both")]
    [InlineData("DURABILITY", "replicated")]
    [InlineData("DURABILITY_REPLICAS", "0")]
    [InlineData("DURABILITY_REPLICAS", "one")]
    [InlineData("REDIS_ADDR", "localhost:6379,nonsense=1")]
    [InlineData("REDIS_ADDR", "localhost:sixtythree")]
    [InlineData("REDIS_ADDR", ",")]
    [InlineData("OTEL_TRACES_EXPORTER", "console")]
    [InlineData("OTEL_METRICS_EXPORTER", "prometheus")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "jaeger")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zip")]
    public async Task A_wrong_value_stops_the_start_with_one_sentence(string name, string value)
    {
        using var folder = new TemporaryFolder();
        var settings = new Dictionary<string, string> { ["REDIS_ADDR"] = "embedded", ["DATA_DIR"] = folder.Path, [name] = value };

        var sentence = await SentenceOfFailedStart(settings);

        sentence.Should().StartWith($"DBOS cannot start: {name} must be ").And.EndWith($"but is '{value.Split(',')[0]}'");
    }

    [Fact]
    public async Task A_password_in_a_wrong_address_is_not_printed()
    {
        var settings = new Dictionary<string, string> { ["REDIS_ADDR"] = "localhost:6379,password=secret,nonsense=1" };

        (await SentenceOfFailedStart(settings)).Should().StartWith("DBOS cannot start: REDIS_ADDR must be ").And.NotContain("secret");
    }

    [Fact]
    public async Task A_second_DBOS_on_the_same_data_directory_is_refused_and_harms_nothing()
    {
        await using var dbos = await Deployment.Start(StoreKind.Embedded);
        var settings = new Dictionary<string, string>(dbos.Settings) { ["PORT"] = Text(FreePort.Find()) };

        var sentence = await SentenceOfFailedStart(settings);

        sentence.Should().StartWith("DBOS cannot start: the data directory ").And.Contain(settings["DATA_DIR"]).And.Contain("another DBOS");
        (await dbos.Client.StoreResultAsync(Requests.Result("request-1"))).Success.Should().BeTrue();
    }

    /// <summary>Linux lets nobody make a folder there, root neither.</summary>
    [Theory]
    [InlineData("/proc/dbos")]
    [InlineData("/sys/dbos")]
    public async Task A_data_directory_that_cannot_be_made_is_refused(string directory)
    {
        var sentence = await SentenceOfFailedStart(Embedded(directory));

        sentence.Should().StartWith("DBOS cannot start: ").And.Contain(directory);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "not a folder");

        var sentence = await SentenceOfFailedStart(Embedded(file));

        sentence.Should().StartWith("DBOS cannot start: ").And.Contain(file);
    }

    [Fact]
    public async Task A_data_file_that_is_no_database_is_refused()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "dbos.db"), new string('x', 8192));

        var sentence = await SentenceOfFailedStart(Embedded(folder.Path));

        sentence.Should().StartWith("DBOS cannot start: ").And.Contain(folder.Path);
    }

    [Theory]
    [InlineData("PORT")]
    [InlineData("METRICS_PORT")]
    public async Task A_port_in_use_is_one_sentence(string name)
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var port = Text(((IPEndPoint)taken.LocalEndpoint).Port);

        var sentence = await SentenceOfFailedStart(
            new() { ["REDIS_ADDR"] = "embedded", ["DATA_DIR"] = folder.Path, ["PORT"] = Text(FreePort.Find()), [name] = port });

        sentence.Should().StartWith($"DBOS cannot start: {name} must be ").And.Contain("not in use").And.EndWith($"but is '{port}'");
    }

    [Fact]
    public async Task Another_number_of_partitions_on_a_used_Redis_is_refused_and_harms_nothing()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        var settings = new Dictionary<string, string>(dbos.Settings) { ["PARTITIONS"] = "8", ["PORT"] = Text(FreePort.Find()) };

        await using var other = Launch(settings);

        (await other.WaitForExit(Patience)).Should().Be(1);
        other.Output.Should().Contain("has 1 partitions, not 8: unset PARTITIONS or set it to 1");
        (await dbos.Client.StoreResultAsync(Requests.Result("request-1"))).Success.Should().BeTrue();
    }

    /// <summary>On a port of its own, which is looked at first.</summary>
    private static Dictionary<string, string> Embedded(string directory) =>
        new() { ["REDIS_ADDR"] = "embedded", ["DATA_DIR"] = directory, ["PORT"] = Text(FreePort.Find()) };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static ChildProcess Launch(Dictionary<string, string> settings) =>
        ChildProcess.Start("dotnet", [ProductFiles.ApiAssembly], settings);

    private static async Task<string> SentenceOfFailedStart(Dictionary<string, string> settings)
    {
        await using var process = Launch(settings);
        (await process.WaitForExit(Patience)).Should().Be(1, process.Output);
        var told = process.ErrorOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.Output.Should().NotContain("   at ", "a stack trace is no sentence");
        return told.Should().ContainSingle().Which;
    }
}
