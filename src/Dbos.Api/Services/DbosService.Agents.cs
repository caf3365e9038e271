using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Domain.Agents;
using Dbos.Wire;
using Grpc.Core;
using Agent = Dbos.Wire.Agent;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<RegisterAgentResponse> RegisterAgent(RegisterAgentRequest request, ServerCallContext context)
    {
        var told = request.Agent is { } agent
            ? new Heartbeat(
                agent.Id, agent.Hostname, agent.Alive, agent.LastSeen, agent.FirstSeen, agent.Config, agent.TotalHeartbeats)
            : null;
        var answer = await Ask(new RegisterAgent(told), context);
        return answer.Refusal is { } refusal
            ? new RegisterAgentResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new RegisterAgentResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    public override async Task<GetAgentResponse> GetAgent(GetAgentRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetAgent(request.AgentId), context);
        return answer.Refusal is { } refusal
            ? new GetAgentResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetAgentResponse { Found = true, Agent = OnWire(answer.Value) };
    }

    public override async Task<ListAgentsResponse> ListAgents(ListAgentsRequest request, ServerCallContext context)
    {
        var answer = await Ask(new ListAgents(new PageRequest(request.PageSize, request.PageToken)), context);
        if (answer.Refusal is { } refusal)
        {
            return new ListAgentsResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var page = answer.Value;
        var (error, code) = Cut(request.PageSize, page);
        return new ListAgentsResponse
        {
            Agents = { page.Items.Select(OnWire) },
            NextPageToken = page.NextToken,
            Error = error,
            Code = code,
        };
    }

    private static Agent OnWire(Domain.Agents.Agent agent) => new()
    {
        Id = agent.Id,
        Hostname = agent.Hostname,
        Alive = agent.Alive,
        LastSeen = agent.LastSeen,
        FirstSeen = agent.FirstSeen,
        Config = { agent.Config.ToDictionary() },
        TotalHeartbeats = agent.TotalHeartbeats,
    };
}
