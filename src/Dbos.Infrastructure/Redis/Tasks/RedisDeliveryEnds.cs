using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.ModuleStates;
using Dbos.Infrastructure.Redis.Results;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>Ends of deliveries that may carry a result and a state: one script, which writes all parts or none. See delivery_report.lua.</summary>
internal sealed class RedisDeliveryEnds(RedisPartitions partitions, TaskChannels channels, DbosPolicy policy, TimeProvider clock)
{
    private const int MostArguments = 32;

    private static readonly Script AckWithReport = new("ack_with_report");
    private static readonly Script NackTask = new("nack_task");

    public Task<Answer<Written>> Acknowledge(DeliveryReport report, Acknowledgement ack, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(MostArguments);
        values.Add(channels.EndsPrefix);
        values.Add((long)policy.CompletedTaskRetention.TotalMilliseconds);
        values.Add(TaskScripts.TailOf(ack.Context.Origin));
        values.Add(ack.TaskId);
        values.Add(ack.LeaseToken);
        TaskScripts.AddMark(ack.Context, values);
        Add(values, report, ack.Context.Origin);
        return Run(AckWithReport, ack.TaskId, ack.Context, values, report, task => task.Acknowledge(ack.LeaseToken, clock.GetUtcNow()), cancellation);
    }

    public Task<Answer<Written>> NegativelyAcknowledge(NegativeAcknowledgement nack, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(MostArguments + nack.Delays.Count);
        values.Add(channels.Due);
        values.Add(channels.EndsPrefix);
        values.Add(TaskScripts.TailOf(nack.Context.Origin));
        values.Add(nack.TaskId);
        values.Add(nack.LeaseToken);
        TaskScripts.AddMark(nack.Context, values);
        values.Add(nack.Kind switch
        {
            NackKind.DeadLetter => MeasurementTask.RejectedByHolder,
            NackKind.Release => "release",
            _ => "retry",
        });
        values.Add(nack.Reason);
        values.Add(nack.Reason.CutShort(MeasurementTask.LongestHistoryError));
        values.Add(nack.Delays.Count);
        foreach (var delay in nack.Delays)
        {
            values.Add((long)delay.TotalMilliseconds);
        }

        Add(values, nack.Report, nack.Context.Origin);
        return Run(NackTask, nack.TaskId, nack.Context, values, nack.Report, task => nack.Decide(task, clock.GetUtcNow()), cancellation);
    }

    private static void Add(List<RedisValue> values, DeliveryReport? report, Origin origin)
    {
        values.Add(QueueNames.Encode(report?.AgentId ?? string.Empty));
        values.Add(report?.Result is null ? 0 : 1);
        values.Add(report?.State is null ? 0 : 1);
        if (report?.Result is { } result)
        {
            values.Add(result, MeasurementResult.Store(stored: null, result).Events[0], origin);
        }

        if (report?.State is { } state)
        {
            values.Add(state, origin);
        }
    }

    private async Task<Answer<Written>> Run(
        Script script,
        string taskId,
        CommitContext context,
        List<RedisValue> values,
        DeliveryReport? report,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide,
        CancellationToken cancellation)
    {
        var item = TaskScripts.ItemOf(await partitions.Write(script, partitions.Of(taskId), values, cancellation), 0);
        if (item.Outcome == "done" && item.Parts.Length > 1 && (int)item.Parts[1] == 1)
        {
            context.ReplayDiffered = true;
            return new Written(0, Duplicate: false) { ContentDiffers = true };
        }

        return TaskScripts.AnswerOf(item, context, taskId, task => report is null ? decide(task) : End(task));

        Answer<Decision<MeasurementTask>> End(MeasurementTask task)
        {
            var storedResult = (string)item.Parts[4]! switch
            {
                "" => KnownResult.None,
                "other" => KnownResult.Other,
                _ => KnownResult.Same,
            };
            var storedState = item.Parts[5].IsNull ? null : ModuleStateValue.Read((byte[])item.Parts[5]!, Names.Encode(taskId), out _);
            var end = report.End(task, decide(task), storedResult, storedState, clock.GetUtcNow());
            return end.IsRefused ? end.Refusal : end.Value.Task;
        }
    }
}
