using Dbos.Api.Hosting;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Task = Dbos.Wire.Task;
using TaskFailure = Dbos.Wire.TaskFailure;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context) =>
        Scheduled(request.Task, await Ask(Schedule(request.Task), context));

    [EnableRateLimiting(Overload.Batches)]
    public override async Task<ScheduleTasksResponse> ScheduleTasks(ScheduleTasksRequest request, ServerCallContext context)
    {
        var answer = await Ask(new ScheduleTasks([.. request.Tasks.Select(Schedule)]), context);
        return answer.Refusal is { } refusal
            ? new ScheduleTasksResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new ScheduleTasksResponse { Success = true, Answers = { request.Tasks.Zip(answer.Value, Scheduled) } };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetTask(request.TaskId), context);
        return answer.Refusal is { } refusal
            ? new GetTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetTaskResponse { Found = true, Task = OnWire(answer.Value) };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        var page = new PageRequest(request.PageSize, request.PageToken);
        var answer = await Ask(new ListTasks(request.Status, new TaskFilter(request.AgentId, request.ModuleName), page), context);
        if (answer.Refusal is { } refusal)
        {
            return new ListTasksResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var found = answer.Value;
        var (error, code) = Cut(request.PageSize, found);
        return new ListTasksResponse
        {
            Tasks = { found.Items.Select(OnWire) }, NextPageToken = found.NextToken, Error = error, Code = code,
        };
    }

    public override async Task<CancelTaskResponse> CancelTask(CancelTaskRequest request, ServerCallContext context)
    {
        var answer = await Ask(new CancelTask(request.TaskId, request.Reason), context);
        return answer.Refusal is { } refusal
            ? new CancelTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new CancelTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetQueueStatsResponse> GetQueueStats(GetQueueStatsRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetQueueStats(), context);
        if (answer.Refusal is { } refusal)
        {
            return new GetQueueStatsResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var stats = answer.Value;
        return new GetQueueStatsResponse
        {
            Pending = stats.Tasks[MeasurementTaskStatus.Pending],
            Inflight = stats.Tasks[MeasurementTaskStatus.Inflight],
            Completed = stats.Tasks[MeasurementTaskStatus.Completed],
            Failed = stats.Tasks[MeasurementTaskStatus.Failed],
            Cancelled = stats.Tasks[MeasurementTaskStatus.Cancelled],
            OldestPendingAgeSeconds = stats.OldestPendingAge.TotalSeconds,
            ScheduledPerSecond = stats.ScheduledPerSecond,
            CompletedPerSecond = stats.CompletedPerSecond,
            FailedPerSecond = stats.FailedPerSecond,
            Totals = { stats.Totals.ToDictionary() },
        };
    }

    private static ScheduleTask Schedule(Task? task) => new(task is null
        ? null
        : new NewTask(
            task.Id,
            task.AgentId,
            task.ModuleName,
            task.Payload.Memory,
            task.ScheduledAt,
            task.CreatedAt,
            task.Status,
            task.VisibilityTime,
            task.RetryCount,
            task.MaxRetries,
            task.MaxExpiries,
            task.Priority));

    private static ScheduleTaskResponse Scheduled(Task? task, Answer<Written> answer) => answer.Refusal is { } refusal
        ? new ScheduleTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
        : new ScheduleTaskResponse
        {
            Success = true,
            Duplicate = answer.Value.Duplicate,
            ContentDiffers = answer.Value.ContentDiffers,
            Error = answer.Value.ContentDiffers ? $"task '{task!.Id}' was scheduled before with other content, which is kept" : string.Empty,
        };

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
        MaxRetries = task.Retry.MaxRetries,
        LastError = task.LastError,
        Priority = task.Priority,
        MaxExpiries = task.Retry.MaxExpiries,
        FailureCount = task.Failures,
        ExpiryCount = task.Expiries,
        DeliveryCount = task.Deliveries,
        DeadLetterReason = task.DeadLetterReason,
        EndedAt = task.EndedAt?.ToUnixTimeSeconds() ?? 0,
        History =
        {
            task.History.Select(failure => new TaskFailure
            {
                LeaseToken = failure.LeaseToken,
                FailedAt = failure.FailedAt,
                Kind = failure.Kind,
                Error = failure.Error,
            }),
        },
    };
}
