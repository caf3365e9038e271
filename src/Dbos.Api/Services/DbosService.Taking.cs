using Dbos.Api.Hosting;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Api.Services;

/// <summary>What a worker calls: taking tasks, and what becomes of the deliveries.</summary>
public sealed partial class DbosService
{
    public override async Task<ListDueTasksResponse> ListDueTasks(ListDueTasksRequest request, ServerCallContext context)
    {
        var filter = new TaskFilter(request.AgentId, request.ModuleName);
        var answer = await Ask(
            new ListDueTasks(filter, request.Timestamp, request.Limit, request.VisibilityTimeoutSeconds), context);
        if (answer.Refusal is { } refusal)
        {
            return new ListDueTasksResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        if (context.CancellationToken.IsCancellationRequested)
        {
            await undelivered.GiveBack(answer.Value, call.Origin);
        }

        return new ListDueTasksResponse { Tasks = { answer.Value.Select(OnWire) } };
    }

    [DisableRateLimiting]
    public override async Task StreamDueTasks(
        StreamDueTasksRequest request, IServerStreamWriter<StreamDueTasksResponse> responseStream, ServerCallContext context)
    {
        var filter = new TaskFilter(request.AgentId, request.ModuleName);
        var answer = await Ask(new StreamDueTasks(filter, request.MaxInflight, request.VisibilityTimeoutSeconds), context);
        if (answer.Refusal is { } refusal)
        {
            await responseStream.WriteAsync(new StreamDueTasksResponse { Error = refusal.Sentence, Code = Code(refusal) });
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await Told(
            async () =>
            {
                await answer.Value.Run(
                    tasks => Write(responseStream, new StreamDueTasksResponse { Tasks = { tasks.Select(OnWire) } }, ending.Token),
                    ending.Token);
                return true;
            },
            nameof(StreamDueTasks),
            context);
    }

    public override async Task<ExtendTaskLeaseResponse> ExtendTaskLease(ExtendTaskLeaseRequest request, ServerCallContext context)
    {
        var answer = await Ask(new ExtendTaskLease(request.TaskId, request.LeaseToken, request.Seconds), context);
        return answer.Refusal is { } refusal
            ? new ExtendTaskLeaseResponse
            {
                Error = refusal.Sentence,
                Code = Code(refusal),
                Cancelled = refusal.Code == RefusalCode.TaskCancelled,
            }
            : new ExtendTaskLeaseResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    public override async Task<AckTaskResponse> AckTask(AckTaskRequest request, ServerCallContext context) =>
        Acknowledged(request, await Ask(Ack(request), context));

    [EnableRateLimiting(Overload.Batches)]
    public override async Task<AckTasksResponse> AckTasks(AckTasksRequest request, ServerCallContext context)
    {
        var answer = await Ask(new AckTasks([.. request.Acks.Select(Ack)]), context);
        return answer.Refusal is { } refusal
            ? new AckTasksResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new AckTasksResponse { Success = true, Answers = { request.Acks.Zip(answer.Value, Acknowledged) } };
    }

    public override async Task<NackTaskResponse> NackTask(NackTaskRequest request, ServerCallContext context)
    {
        var nack = new NackTask(
            request.TaskId,
            request.RetryDelaySeconds,
            request.RetryAtOnce,
            request.LeaseToken,
            request.Reason,
            request.DeadLetter,
            request.Release,
            Reported(request.State));
        var answer = await Ask(nack, context);
        return answer.Refusal is { } refusal
            ? new NackTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new NackTaskResponse { Success = true, Duplicate = answer.Value.Duplicate };
    }

    private static AckTask Ack(AckTaskRequest request) =>
        new(request.TaskId, request.LeaseToken, Received(request.Result), Reported(request.State));

    private static AckTaskResponse Acknowledged(AckTaskRequest request, Answer<Written> answer) => answer.Refusal is { } refusal
        ? new AckTaskResponse { Error = refusal.Sentence, Code = Code(refusal) }
        : new AckTaskResponse
        {
            Success = true,
            Duplicate = answer.Value.Duplicate,
            ContentDiffers = answer.Value.ContentDiffers,
            Error = answer.Value.ContentDiffers ? $"a result of task '{request.TaskId}' was stored before with other data, which are kept" : string.Empty,
        };
}
