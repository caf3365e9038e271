using Dbos.Api.Hosting;
using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    [EnableRateLimiting(Overload.Reads)]
    public override async Task<ListDeadLetterTasksResponse> ListDeadLetterTasks(
        ListDeadLetterTasksRequest request, ServerCallContext context)
    {
        var page = new PageRequest(request.PageSize, request.PageToken);
        var answer = await Ask(new ListDeadLetterTasks(new TaskFilter(request.AgentId, request.ModuleName), page), context);
        if (answer.Refusal is { } refusal)
        {
            return new ListDeadLetterTasksResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var found = answer.Value;
        var (error, code) = Cut(request.PageSize, found);
        return new ListDeadLetterTasksResponse
        {
            Tasks = { found.Items.Select(OnWire) }, NextPageToken = found.NextToken, Error = error, Code = code,
        };
    }

    [EnableRateLimiting(Overload.Batches)]
    public override async Task<RequeueDeadLetterTasksResponse> RequeueDeadLetterTasks(
        RequeueDeadLetterTasksRequest request, ServerCallContext context)
    {
        var filter = new TaskFilter(request.AgentId, request.ModuleName);
        var answer = await Ask(new RequeueDeadLetterTasks([.. request.TaskIds], filter, request.All), context);
        return answer.Refusal is { } refusal
            ? new RequeueDeadLetterTasksResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new RequeueDeadLetterTasksResponse
            {
                Success = true,
                Requeued = answer.Value.Count,
                NotRequeued = { answer.Value.NotRequeued },
                Left = answer.Value.Left.Count,
                MoreMayBeLeft = !answer.Value.Left.IsComplete,
            };
    }

    public override async Task<DeleteDeadLetterTaskResponse> DeleteDeadLetterTask(
        DeleteDeadLetterTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(new DeleteDeadLetterTask(request.TaskId), context);
        return answer.Refusal is { } refusal
            ? new DeleteDeadLetterTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new DeleteDeadLetterTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }
}
