using Dbos.Api.Hosting;
using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Domain.Agents;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Agent = Dbos.Wire.Agent;
using AgentPeriod = Dbos.Wire.AgentPeriod;
using AgentStatus = Dbos.Wire.AgentStatus;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<RegisterAgentResponse> RegisterAgent(RegisterAgentRequest request, ServerCallContext context)
    {
        var told = request.Agent is { } agent
            ? new Heartbeat(
                agent.Id, agent.Hostname, agent.Alive, agent.LastSeen, agent.FirstSeen, ConfigValues.Of(agent.Config), agent.TotalHeartbeats)
            : null;
        var answer = await Ask(new RegisterAgent(told), context);
        return answer.Refusal is { } refusal
            ? new RegisterAgentResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new RegisterAgentResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetAgentResponse> GetAgent(GetAgentRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetAgent(request.AgentId), context);
        return answer.Refusal is { } refusal
            ? new GetAgentResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetAgentResponse { Found = true, Agent = OnWire(answer.Value) };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<ListAgentsResponse> ListAgents(ListAgentsRequest request, ServerCallContext context)
    {
        var answer = await Ask(new ListAgents((Application.Agents.AgentFilter)request.Filter, new PageRequest(request.PageSize, request.PageToken)), context);
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

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetAgentHistoryResponse> GetAgentHistory(GetAgentHistoryRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetAgentHistory(request.AgentId, request.WindowSeconds), context);
        if (answer.Refusal is { } refusal)
        {
            return new GetAgentHistoryResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var history = answer.Value;
        return new GetAgentHistoryResponse
        {
            Found = true,
            Periods =
            {
                history.Periods.Select(period => new AgentPeriod
                {
                    Connected = period.Alive,
                    FromMs = period.From.ToUnixTimeMilliseconds(),
                    UntilMs = period.Until?.ToUnixTimeMilliseconds() ?? 0,
                    Cause = period.Cause,
                }),
            },
            Uptime = history.Uptime,
            From = history.From.ToUnixTimeSeconds(),
            Until = history.Until.ToUnixTimeSeconds(),
            KnownSince = history.KnownSince.ToUnixTimeSeconds(),
        };
    }

    [DisableRateLimiting]
    public override async Task WatchAgents(
        WatchAgentsRequest request, IServerStreamWriter<WatchAgentsResponse> responseStream, ServerCallContext context)
    {
        var answer = await Ask(new WatchAgents(), context);
        await Stream(
            answer.Value,
            responseStream,
            news => new WatchAgentsResponse
            {
                Agents =
                {
                    news.Agents.Select(agent => new AgentStatus
                    {
                        AgentId = agent.AgentId,
                        Alive = agent.Alive,
                        SinceMs = agent.Since.ToUnixTimeMilliseconds(),
                        Cause = agent.Cause,
                    }),
                },
                PresentStateTold = news.IsPresent,
                Error = news.Refusal?.Sentence ?? string.Empty,
                Code = news.Refusal is { } end ? Code(end) : ErrorCode.None,
            },
            nameof(WatchAgents),
            context);
    }

    private static Agent OnWire(Domain.Agents.Agent agent)
    {
        var onWire = new Agent
        {
            Id = agent.Id,
            Hostname = agent.Hostname,
            Alive = agent.Alive,
            LastSeen = agent.LastSeen,
            FirstSeen = agent.FirstSeen,
            TotalHeartbeats = agent.Heartbeats.Total,
        };
        foreach (var (key, value) in agent.Config.Values)
        {
            onWire.Config.Add(key, value.RequiredText);
        }

        return onWire;
    }
}
