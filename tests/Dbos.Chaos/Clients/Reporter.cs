using System.Globalization;
using Dbos.Chaos.Histories;
using Google.Protobuf;

namespace Dbos.Chaos.Clients;

/// <summary>An agent: heartbeats and results, some of which others report under the same id with other content.</summary>
internal sealed class Reporter(string name, Recorder recorder, Random random) : IClient
{
    /// <summary>In whose name all reporters race.</summary>
    public const string SharedAgent = "shared-agent";

    private int heartbeats;
    private int results;

    public Task Act() => random.Next(10) switch
    {
        < 2 => Heartbeat(),
        < 4 => Store(SharedAgent, string.Create(CultureInfo.InvariantCulture, $"race-{recorder.History.Now.TotalSeconds:F0}")),
        < 5 when results > 0 => Store(name, ResultId(random.Next(1, results + 1))),
        _ => Store(name, ResultId(++results)),
    };

    private static string ResultId(int number) => string.Create(CultureInfo.InvariantCulture, $"result-{number}");

    private Task Heartbeat()
    {
        var request = new RegisterAgentRequest
        {
            Agent = new Agent { Id = name, Hostname = "host", Alive = true, TotalHeartbeats = ++heartbeats },
        };
        var asked = recorder.Asked(Method.RegisterAgent, name, heartbeats);
        return recorder.Write([asked], (dbos, options) => dbos.RegisterAgentAsync(request, options), answer => [asked.Answered(answer)]);
    }

    /// <summary>With content that no other call sends: what is stored tells whose it is.</summary>
    private Task Store(string agentId, string id)
    {
        var result = new MeasurementResult
        {
            Id = id,
            AgentId = agentId,
            ModuleName = "ping",
            Data = ByteString.CopyFromUtf8(string.Create(CultureInfo.InvariantCulture, $"{name} {random.NextInt64()}")),
        };
        var request = new StoreResultRequest { Result = result };
        var asked = recorder.Asked(Method.StoreResult, Subjects.Of(result), content: Content.Of(result));
        return recorder.Write([asked], (dbos, options) => dbos.StoreResultAsync(request, options), answer => [asked.Answered(answer)]);
    }
}
