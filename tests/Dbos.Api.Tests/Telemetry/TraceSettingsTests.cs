using Dbos.Api.Tests.Support;
using Dbos.Testing.Otlp;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>OpenTelemetry's own variables mean here what they mean everywhere.</summary>
public sealed class TraceSettingsTests(SampledDbos dbos) : IClassFixture<SampledDbos>
{
    [Theory]
    [InlineData(SampledDbos.Default, "own, sampled")]
    [InlineData(SampledDbos.None, "")]
    [InlineData(SampledDbos.CallersOnly, "sampled")]
    [InlineData(SampledDbos.Disabled, "")]
    [InlineData(SampledDbos.NoExporter, "")]
    public void Only_what_is_sampled_is_exported(string setting, string traces) =>
        string.Join(", ", dbos.Exported(setting)).Should().Be(traces);

    [Fact]
    public void The_service_has_its_own_name_and_attributes()
    {
        var resource = dbos.Spans.Select(span => span.Resource).First(resource => resource["service.name"] == SampledDbos.Default);

        resource.Should().Contain("deployment.environment.name", "lab").And.Contain("service.instance.id", SampledDbos.ServerId);
    }

    [Fact]
    public void Without_an_endpoint_nothing_is_traced() => dbos.EventOfUntraced.Should().BeEmpty("an event tells of the trace that it is in");
}

/// <summary>One DBOS for each setting, known by its service name; each was asked three times and then stopped.</summary>
public sealed class SampledDbos : IAsyncLifetime
{
    public const string Default = "default";
    public const string None = "traceidratio";
    public const string CallersOnly = "parentbased_traceidratio";
    public const string Disabled = "disabled";
    public const string NoExporter = "none";
    public const string ServerId = "dbos-of-the-lab";

    private static readonly Dictionary<string, (string Name, string Value)[]> Settings = new()
    {
        [Default] = [("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab"), ("DBOS_SERVER_ID", ServerId)],
        [None] = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")],
        [CallersOnly] = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")],
        [Disabled] = [("OTEL_SDK_DISABLED", "true")],
        [NoExporter] = [("OTEL_TRACES_EXPORTER", "none")],
    };

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, (string OwnTask, CallerSpan Sampled, CallerSpan Unsampled)> calls = [];

    public IReadOnlyList<ExportedSpan> Spans { get; private set; } = [];

    /// <summary>The trace id in the event of a call to a DBOS that is not told where to send traces.</summary>
    public string? EventOfUntraced { get; private set; }

    public async Task InitializeAsync()
    {
        await using var receiver = await OtlpReceiver.Start();
        foreach (var name in Settings.Keys)
        {
            calls.Add(name, (Requests.NewId("task"), new CallerSpan(), new CallerSpan(IsSampled: false)));
        }

        await Task.WhenAll(Settings.Select(setting => CallAndStop(receiver, setting.Key, setting.Value)).Append(CallUntraced()));
        Spans = receiver.Spans;
    }

    public IEnumerable<string> Exported(string setting)
    {
        var (ownTask, sampled, unsampled) = calls[setting];
        var traces = Spans.Where(span => span.Resource["service.name"] == setting).ToArray();
        return new[]
        {
            ("own", traces.Any(span => span.Attributes.GetValueOrDefault("dbos.task_id") == ownTask)),
            ("sampled", traces.Any(span => span.TraceId == sampled.TraceId)),
            ("unsampled", traces.Any(span => span.TraceId == unsampled.TraceId)),
        }.Where(trace => trace.Item2).Select(trace => trace.Item1);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private async Task CallAndStop(OtlpReceiver receiver, string name, (string Name, string Value)[] settings)
    {
        await using var dbos = await Deployment.Start(
            StoreKind.Embedded, servers: 1, [.. TracedDbos.SettingsFor(receiver), ("OTEL_SERVICE_NAME", name), .. settings]);
        var (ownTask, sampled, unsampled) = calls[name];
        await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = ownTask });
        await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = "task-1" }, sampled.Metadata);
        await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = "task-1" }, unsampled.Metadata);

        // What was not sent yet is sent at the end.
        dbos.Server.Process.Signal(UnixSignal.Terminate);
        await dbos.Server.Process.WaitForExit(EndPatience);
    }

    private async Task CallUntraced()
    {
        await using var dbos = await Deployment.Start(StoreKind.Embedded);
        var id = Requests.NewId("request");
        await dbos.Client.StoreResultAsync(Requests.Result(id));
        EventOfUntraced = (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Single().TraceId;
    }
}
