using System.Globalization;
using Dbos.Testing;
using Dbos.Testing.Otlp;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// What tracing costs StoreResult: servers that differ in nothing else, on one Redis, in turns. A second one without
/// tracing shows what of a difference is noise.
/// </summary>
internal static class Tracing
{
    private const int InFlight = 128;
    private const int Channels = 4;
    private const int CallsInRound = 8_000;

    private static readonly ByteString Data = ByteString.CopyFromUtf8(
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.0,12.6,12.2,12.3,12.1,12.0,12.5],"loss":0.0}""");

    /// <summary>The share of traces that is kept; null: tracing is off.</summary>
    private static readonly (string Name, double? Kept, double? Target)[] Servers =
    [
        ("off", null, null),
        ("off, another server", null, null),
        ("10 % kept", 0.1, 0.95),
        ("all kept", 1, null),
    ];

    public static async Task<Figures> Run(Options options, Report report)
    {
        await using var redis = await RedisServer.Start();
        await using var receiver = await OtlpReceiver.Start();
        var servers = await Task.WhenAll(Servers.Select((server, i) => DbosServer.Start(SettingsOf(server.Kept, i, redis, receiver))));
        try
        {
            return await Compare(servers, receiver, options.Rounds ?? 25, report);
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    private static async Task<Figures> Compare(DbosServer[] servers, OtlpReceiver receiver, int count, Report report)
    {
        var clients = servers.Select(server => Enumerable.Range(0, Channels).Select(_ => server.Connect()).ToArray()).ToArray();
        var rounds = new List<Round[]>();
        var warmUp = Math.Min(10, count);
        for (var i = 0; i < warmUp + count; i++)
        {
            // Each begins as often as the others, so that none has always the same before it.
            var measured = new Round[servers.Length];
            foreach (var at in Enumerable.Range(i, servers.Length).Select(turn => turn % servers.Length))
            {
                measured[at] = await RoundOf(clients[at], servers[at].Process.Id);
            }

            receiver.Forget();
            if (i >= warmUp)
            {
                rounds.Add(measured);
            }
        }

        report.Say($"StoreResult with tracing, {InFlight} in flight; medians of {count} rounds of {CallsInRound} calls each, in turns; client and receiver in one process");
        var table = new Table("tracing", "calls/s", "server µs/call", "beside the first");
        foreach (var (name, at) in Servers.Select((server, at) => (server.Name, at)))
        {
            table.Add(name, $"{Median(round => round[at].PerSecond):F0}", $"{Median(round => round[at].ServerMicroseconds):F0}", $"{Ratio(at):F3}");
        }

        report.Print(table);
        return new Figures(
        [
            .. Servers.Select((server, at) => (server, at)).Where(each => each.server.Target is not null)
                .Select(each => Target.AtLeast($"StoreResult with tracing {each.server.Name} beside without", Ratio(each.at), each.server.Target!.Value)),
        ]);

        double Median(Func<Round[], double> figure) => Round.Median(rounds.Select(figure));
        double Ratio(int at) => Median(round => round[at].PerSecond / round[0].PerSecond);
    }

    private static Dictionary<string, string> SettingsOf(double? kept, int number, RedisServer redis, OtlpReceiver receiver)
    {
        var settings = new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = redis.Address,
            ["KEY_PREFIX"] = string.Create(CultureInfo.InvariantCulture, $"server{number}"),
        };
        if (kept is { } share)
        {
            settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint;
            settings["OTEL_METRICS_EXPORTER"] = "none";
            settings["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio";
            settings["OTEL_TRACES_SAMPLER_ARG"] = share.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    private static Task<Round> RoundOf(DBOS.DBOSClient[] clients, int server)
    {
        var run = Guid.NewGuid().ToString("N");
        return Round.Of(CallsInRound, InFlight, server, async (worker, i) =>
        {
            var answer = await clients[worker % Channels].StoreResultAsync(new StoreResultRequest
            {
                Result = new MeasurementResult { Id = $"{run}-{i}", AgentId = $"agent-{i % 100}", ModuleName = "unknown", Data = Data, Timestamp = 1_700_000_000 },
            });
            if (!answer.Success || answer.Duplicate)
            {
                throw new InvalidOperationException($"a call was not answered as a new write: {answer.Error}");
            }
        });
    }
}
