using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Task = System.Threading.Tasks.Task;

namespace Dbos.SmokeClient;

/// <summary>One measurement's way through DBOS. Its ids are new in each run, so it may run again on the same server.</summary>
internal sealed class Walk(DBOS.DBOSClient dbos, Steps steps)
{
    private const string Module = "smoke";

    private readonly string agentId = NewId("agent");
    private readonly string requestId = NewId("request");
    private readonly long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    internal static CallOptions InTime => new(deadline: DateTime.UtcNow.AddSeconds(10));

    public async Task Run()
    {
        await Agent();
        await States();
        await Result();
        await new QueueWalk(dbos, steps, agentId).Run();
        await Agents();
    }

    internal static string NewId(string kind) => $"smoke-{kind}-{Guid.NewGuid().ToString("N")[..12]}";

    private async Task Agent()
    {
        var agent = new Agent { Id = agentId, Hostname = "smoke.example.net", Alive = true, LastSeen = now, FirstSeen = now };
        await steps.Take("register an agent", dbos.RegisterAgentAsync(new() { Agent = agent }, InTime), reply => reply.Success);
        await steps.Take(
            "read it",
            dbos.GetAgentAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Found && reply.Agent.Equals(agent));
    }

    private async Task States()
    {
        await steps.Take("a request runs", Set("running"), reply => reply is { Success: true, Version: 1 });
        await Refuse("back to created: a bad transition", Set("created"), ErrorCode.InvalidTransition);
        await Refuse("completed over version 7: a conflict", Set("completed", 7), ErrorCode.VersionConflict);
        await steps.Take("completed over version 1", Set("completed", 1), reply => reply is { Success: true, Version: 2 });
        await steps.Take(
            "read its state",
            dbos.GetModuleStateAsync(new() { RequestId = requestId }, InTime),
            reply => reply is { Found: true, State: { State: "completed", Version: 2 } });
        await steps.Take(
            "list the states of the agent's module",
            dbos.ListModuleStatesAsync(new() { AgentId = agentId, ModuleName = Module }, InTime),
            reply => reply.States is [{ State: "completed" } state] && state.RequestId == requestId);
    }

    private AsyncUnaryCall<SetModuleStateResponse> Set(string word, long? expectedVersion = null)
    {
        var state = new ModuleState { AgentId = agentId, ModuleName = Module, RequestId = requestId, State = word, Timestamp = now };
        var request = new SetModuleStateRequest { State = state };
        if (expectedVersion is { } version)
        {
            request.ExpectedVersion = version;
        }

        return dbos.SetModuleStateAsync(request, InTime);
    }

    private Task<SetModuleStateResponse> Refuse(string what, AsyncUnaryCall<SetModuleStateResponse> call, ErrorCode code) =>
        steps.Take(what, call, reply => !reply.Success && reply.Code == code && reply.Error.Length > 0);

    private async Task Result()
    {
        var result = new MeasurementResult
        {
            Id = requestId,
            AgentId = agentId,
            ModuleName = "unknown",
            Data = ByteString.CopyFromUtf8("""{"rtt_ms": 12.5}"""),
            Timestamp = now,
        };
        await steps.Take("store its result", Store(), reply => reply is { Success: true, Duplicate: false });
        await steps.Take("store it again: a duplicate", Store(), reply => reply is { Success: true, Duplicate: true });
        await steps.Take(
            "read the result",
            dbos.GetResultAsync(new() { AgentId = agentId, RequestId = requestId }, InTime),
            reply => reply is { Found: true, Result.IngestSource: "grpc" } && reply.Result.Data == result.Data);
        await steps.Take(
            "list the agent's results",
            dbos.ListResultsAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Results is [var only] && only.Id == requestId);

        AsyncUnaryCall<StoreResultResponse> Store() => dbos.StoreResultAsync(new() { Result = result }, InTime);
    }

    private async Task Agents()
    {
        var request = new ListAgentsRequest { PageSize = 1000 };
        var ids = new List<string>();
        do
        {
            var page = await dbos.ListAgentsAsync(request, InTime);
            ids.AddRange(page.Agents.Select(agent => agent.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        steps.Check("the agent is among all agents", ids.Contains(agentId), $"{ids.Count} agents");
    }
}
