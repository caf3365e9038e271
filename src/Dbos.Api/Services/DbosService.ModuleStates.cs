using Dbos.Api.Hosting;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Domain.ModuleStates;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using ModuleState = Dbos.Wire.ModuleState;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<SetModuleStateResponse> SetModuleState(SetModuleStateRequest request, ServerCallContext context)
    {
        var answer = await Ask(new SetModuleState(Reported(request.State), request.HasExpectedVersion ? request.ExpectedVersion : null), context);
        return answer.Refusal is { } refusal
            ? new SetModuleStateResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new SetModuleStateResponse { Success = true, Duplicate = answer.Value.Duplicate, Version = answer.Value.Version };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetModuleStateResponse> GetModuleState(GetModuleStateRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetModuleState(request.RequestId, request.AgentId), context);
        return answer.Refusal is { } refusal
            ? new GetModuleStateResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetModuleStateResponse { Found = true, State = OnWire(answer.Value) };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<ListModuleStatesResponse> ListModuleStates(
        ListModuleStatesRequest request, ServerCallContext context)
    {
        var page = new PageRequest(request.PageSize, request.PageToken);
        var query = new ListModuleStates(request.AgentId, request.ModuleName, page) { RequestId = request.RequestId, State = request.State };
        var answer = await Ask(query, context);
        if (answer.Refusal is { } refusal)
        {
            return new ListModuleStatesResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var states = answer.Value;
        var (error, code) = Cut(request.PageSize, states);
        return new ListModuleStatesResponse
        {
            States = { states.Items.Select(OnWire) },
            NextPageToken = states.NextToken,
            Error = error,
            Code = code,
        };
    }

    private static StateReport? Reported(ModuleState? state) => state is null
        ? null
        : new StateReport(
            state.AgentId,
            state.ModuleName,
            state.State,
            state.ErrorMessage,
            state.Details,
            state.Timestamp,
            state.RequestId,
            state.Version);

    private static ModuleState OnWire(Domain.ModuleStates.ModuleState state) => new()
    {
        AgentId = state.AgentId,
        ModuleName = state.ModuleName,
        State = state.State.Word(),
        ErrorMessage = state.ErrorMessage,
        Details = { state.Details.ToDictionary() },
        Timestamp = state.Timestamp,
        RequestId = state.RequestId,
        Version = state.Version,
    };
}
