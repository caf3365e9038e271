using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace Dbos.Api.Tests.Watching;

/// <summary>What can be told of build/compose.yaml without running it.</summary>
public sealed class ComposeTests
{
    private static readonly string Build = Path.Combine(ProductFiles.Repository, "build");

    private static readonly Compose File = new DeserializerBuilder().IgnoreUnmatchedProperties().Build()
        .Deserialize<Compose>(System.IO.File.ReadAllText(Path.Combine(Build, "compose.yaml")));

    [Fact]
    public void Every_port_is_published_on_loopback_alone() =>
        File.Services.Values.SelectMany(service => service.Ports).Should().HaveCount(6).And.OnlyContain(port => port.StartsWith("127.0.0.1:"));

    [Fact]
    public void Every_image_that_is_not_built_here_has_a_version() =>
        File.Services.Values.Where(service => service.Build is null).Select(service => service.Image)
            .Should().HaveCount(4).And.OnlyContain(image => image.Contains(':') && !image.EndsWith(":latest"));

    [Fact]
    public void Every_file_that_is_mounted_is_there_and_read_only() =>
        File.Services.Values.SelectMany(service => service.Volumes).Where(volume => volume.StartsWith('.'))
            .Should().HaveCount(4).And.OnlyContain(volume => volume.EndsWith(":ro") && Path.Exists(Path.Combine(Build, volume.Split(':', StringSplitOptions.None)[0])));

    [Fact]
    public void DBOS_needs_no_file_system_that_is_written_to()
    {
        var dbos = File.Services["dbos"];

        dbos.ReadOnly.Should().BeTrue();
        dbos.Environment.Should().Contain("METRICS_PORT", "9464").And.Contain("REDIS_ADDR", "redis:6379");
        Read("prometheus.yml").Should().Contain("dbos:9464");
    }

    [Fact]
    public void Traces_go_to_Jaeger_and_metrics_do_not()
    {
        File.Services["dbos"].Environment.Should()
            .Contain("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4317").And.Contain("OTEL_METRICS_EXPORTER", "none");
        File.Services.Should().ContainKey("jaeger");
    }

    [Fact]
    public void The_dashboard_asks_the_data_source_that_is_provisioned()
    {
        var source = new DeserializerBuilder().IgnoreUnmatchedProperties().Build()
            .Deserialize<Dictionary<string, object>>(Read("grafana", "provisioning", "datasources", "prometheus.yml"))["datasources"]
            .Should().BeAssignableTo<IList<object>>().Which.Should().ContainSingle().Which.Should().BeAssignableTo<IDictionary<object, object>>().Subject;

        source["url"].Should().Be("http://prometheus:9090");
        JsonNode.Parse(Read("grafana", "dashboards", "dbos.json"))!["panels"]!.AsArray()
            .Select(panel => (string?)panel!["datasource"]?["uid"]).Where(uid => uid is not null)
            .Should().NotBeEmpty().And.OnlyContain(uid => uid == (string)source["uid"]);
    }

    [Fact]
    public void The_image_is_built_in_another_and_runs_without_root()
    {
        var lines = Read("Dockerfile").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        var images = lines.Where(line => line.StartsWith("FROM ")).ToArray();
        images.Should().HaveCount(2);
        images[0].Should().Contain("/sdk:").And.EndWith(" AS build");
        var last = lines.SkipWhile(line => line != images[1]).ToArray();
        images[1].Should().NotContain("/sdk:");
        last.Should().Contain(line => line.StartsWith("COPY --from=build "));
        last.Last(line => line.StartsWith("USER ")).Should().Be("USER $APP_UID", "Microsoft's images have that user, who is not root");
    }

    private static string Read(params string[] path) => System.IO.File.ReadAllText(Path.Combine([Build, .. path]));

    public sealed class Compose
    {
        [YamlMember(Alias = "services")]
        public Dictionary<string, Service> Services { get; init; } = [];
    }

    public sealed class Service
    {
        [YamlMember(Alias = "image")]
        public string Image { get; init; } = string.Empty;

        [YamlMember(Alias = "build")]
        public Dictionary<string, string>? Build { get; init; }

        [YamlMember(Alias = "ports")]
        public List<string> Ports { get; init; } = [];

        [YamlMember(Alias = "volumes")]
        public List<string> Volumes { get; init; } = [];

        [YamlMember(Alias = "environment")]
        public Dictionary<string, string> Environment { get; init; } = [];

        [YamlMember(Alias = "read_only")]
        public bool ReadOnly { get; init; }
    }
}
