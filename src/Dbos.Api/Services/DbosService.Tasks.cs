using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Task = Dbos.Wire.Task;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context)
    {
        var told = request.Task is { } task
            ? new NewTask(
                task.Id,
                task.AgentId,
                task.ModuleName,
                task.Payload.Memory,
                task.ScheduledAt,
                task.CreatedAt,
                task.Status,
                task.VisibilityTime,
                task.RetryCount,
                task.MaxRetries)
            : null;
        var answer = await Ask(new ScheduleTask(told), context);
        return answer.Refusal is { } refusal
            ? new ScheduleTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new ScheduleTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    public override async Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetTask(request.TaskId), context);
        return answer.Refusal is { } refusal
            ? new GetTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetTaskResponse { Found = true, Task = OnWire(answer.Value) };
    }

    public override async Task<ListDueTasksResponse> ListDueTasks(ListDueTasksRequest request, ServerCallContext context)
    {
        var answer = await Ask(
            new ListDueTasks(request.Timestamp, request.Limit, request.VisibilityTimeoutSeconds), context);
        return answer.Refusal is { } refusal
            ? new ListDueTasksResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new ListDueTasksResponse { Tasks = { answer.Value.Tasks.Select(OnWire) } };
    }

    public override async Task<AckTaskResponse> AckTask(AckTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(new AckTask(request.TaskId, request.LeaseToken), context);
        return answer.Refusal is { } refusal
            ? new AckTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new AckTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    public override async Task<NackTaskResponse> NackTask(NackTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(
            new NackTask(request.TaskId, request.RetryDelaySeconds, request.LeaseToken, request.Reason), context);
        return answer.Refusal is { } refusal
            ? new NackTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new NackTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    private static Task OnWire(MeasurementTask task) => new()
    {
        Id = task.Id,
        AgentId = task.AgentId,
        ModuleName = task.ModuleName,
        Payload = UnsafeByteOperations.UnsafeWrap(task.Payload),
        ScheduledAt = task.ScheduledAt,
        CreatedAt = task.CreatedAt,
        Status = task.Status.Word(),
        VisibilityTime = task.VisibleAt.ToUnixTimeSeconds(),
        RetryCount = task.RetryCount,
        LeaseToken = task.LeaseToken,
        MaxRetries = task.MaxRetries,
        LastError = task.LastError,
    };
}
