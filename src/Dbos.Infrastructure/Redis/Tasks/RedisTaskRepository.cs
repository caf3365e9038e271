using System.Text;
using Dbos.Application;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>The task queue in Redis: one script for each operation, beside this file. task_record.lua and agent_queues.lua say what is stored.</summary>
public sealed class RedisTaskRepository(
    RedisPartitions partitions, TaskChannels channels, Heartbeats heartbeats, DbosPolicy policy, TimeProvider clock, ILogger<RedisTaskRepository> logger)
    : ITaskRepository
{
    private static readonly Script ScheduleTasks = new("schedule_tasks");
    private static readonly Script AckTasks = new("ack_tasks");
    private static readonly Script ExtendTaskLease = new("extend_task_lease");
    private static readonly Script ReleaseTasks = new("release_tasks");
    private static readonly Script CancelTask = new("cancel_task");
    private static readonly Script RequeueTasks = new("requeue_tasks");
    private static readonly Script DeleteDeadLetterTask = new("delete_dead_letter_task");
    private static readonly Script ExpireTaskLeases = new("expire_leases");
    private static readonly Script PurgeTasks = new("purge_tasks");

    private readonly TaskScripts scripts = new(partitions, heartbeats, clock, logger);
    private readonly RedisDeliveryEnds ends = new(partitions, channels, policy, clock);
    private readonly RedisTaskTaker taker = new(partitions, channels);
    private readonly RedisTaskLists lists = new(partitions);

    private long KeptMilliseconds => (long)policy.CompletedTaskRetention.TotalMilliseconds;

    public Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation) => lists.Find(taskId, withPayload: true, cancellation);

    public Task<MeasurementTask?> FindBare(string taskId, CancellationToken cancellation) => lists.Find(taskId, withPayload: false, cancellation);

    public Task<IReadOnlyList<TaskDelivery>> FindEnded(IReadOnlyList<TaskDelivery> deliveries, CancellationToken cancellation) =>
        lists.FindEnded(deliveries, scripts.ByPartition(deliveries, static delivery => delivery.TaskId), cancellation);

    public Task<IReadOnlyList<Answer<Written>>> Schedule(IReadOnlyList<Scheduling> tasks, CancellationToken cancellation) => scripts.Each(
        tasks,
        static task => task.Task.Id,
        ScheduleTasks,
        valuesOfEach: 10,
        values => values.Add(channels.Due),
        static (task, values) =>
        {
            var decided = MeasurementTask.Schedule(stored: null, task.Task);
            var (state, document) = TaskRecord.Encode(decided.Next, RedisPartitions.OperationOf(values));
            values.Add(task.Task.Id);
            values.Add(state);
            values.Add(document);
            values.Add(task.Task.Payload);
            values.Add(EventWriter.Body(decided.Events[0], task.Context.Origin));
            values.Add(QueueNames.Of(task.Task.AgentId, task.Task.ModuleName));
            values.Add(TaskRecord.BandOf(task.Task));
            values.Add(task.Task.VisibleAt.ToUnixTimeMilliseconds());
            TaskScripts.AddMark(task.Context, values);
        },
        static (task, item) => TaskScripts.AnswerOf(item, task.Context, task.Task.Id, stored => Duplicate(stored, task, (int)item.Parts[4] == 1)),
        cancellation);

    public Task<IReadOnlyList<MeasurementTask>> Take(TakeOrder order, Origin origin, CancellationToken cancellation) =>
        taker.Take(order, origin, cancellation);

    public Task<IReadOnlyList<Answer<Written>>> Acknowledge(IReadOnlyList<Acknowledgement> acks, CancellationToken cancellation) => scripts.Each(
        acks,
        static ack => ack.TaskId,
        AckTasks,
        valuesOfEach: 4,
        values =>
        {
            values.Add(channels.EndsPrefix);
            values.Add(KeptMilliseconds);
            values.Add(TaskScripts.TailOf(acks[0].Context.Origin));
        },
        static (ack, values) =>
        {
            values.Add(ack.TaskId);
            values.Add(ack.LeaseToken);
            TaskScripts.AddMark(ack.Context, values);
        },
        (ack, item) => TaskScripts.AnswerOf(item, ack.Context, ack.TaskId, task => task.Acknowledge(ack.LeaseToken, clock.GetUtcNow())),
        cancellation);

    public Task<Answer<Written>> AcknowledgeWith(DeliveryReport report, Acknowledgement ack, CancellationToken cancellation) =>
        ends.Acknowledge(report, ack, cancellation);

    public Task<Answer<Written>> NegativelyAcknowledge(NegativeAcknowledgement nack, CancellationToken cancellation) =>
        ends.NegativelyAcknowledge(nack, cancellation);

    public Task<Answer<Written>> ExtendLease(LeaseExtension extension, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(8);
        values.Add(extension.TaskId);
        values.Add(extension.LeaseToken);
        values.Add((long)extension.Lease.TotalMilliseconds);
        TaskScripts.AddMark(extension.Context, values);
        return scripts.One(
            ExtendTaskLease,
            extension.TaskId,
            extension.Context,
            values,
            task => task.ExtendLease(extension.LeaseToken, clock.GetUtcNow() + extension.Lease),
            cancellation);
    }

    public async Task Release(IReadOnlyList<TaskDelivery> deliveries, Origin origin, CancellationToken cancellation) =>
        await Task.WhenAll(scripts.ByPartition(deliveries, static delivery => delivery.TaskId).Select(some =>
        {
            var values = partitions.NewWrite(4 + (2 * some.Indexes.Length));
            values.Add(channels.Due);
            values.Add(channels.EndsPrefix);
            values.Add(TaskScripts.TailOf(origin));
            values.Add(some.Indexes.Length);
            foreach (var i in some.Indexes)
            {
                values.Add(deliveries[i].TaskId);
                values.Add(deliveries[i].LeaseToken);
            }

            return partitions.Write(
                ReleaseTasks, some.Partition, values, cancellation, StoreWork.Background, StorePermits.CostOfUpTo(some.Indexes.Length));
        }));

    public Task<Answer<Written>> Cancel(Cancellation cancel, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(9);
        values.Add(channels.Due);
        values.Add(channels.EndsPrefix);
        values.Add(KeptMilliseconds);
        values.Add(TaskScripts.TailOf(cancel.Context.Origin));
        values.Add(cancel.TaskId);
        values.Add(cancel.Reason);
        TaskScripts.AddMark(cancel.Context, values);
        return scripts.One(
            CancelTask, cancel.TaskId, cancel.Context, values, task => task.Cancel(cancel.Reason, clock.GetUtcNow()), cancellation);
    }

    public Task<IReadOnlyList<Answer<Written>>> Requeue(IReadOnlyList<string> taskIds, Origin origin, CancellationToken cancellation) => scripts.Each(
        taskIds,
        static id => id,
        RequeueTasks,
        valuesOfEach: 1,
        values =>
        {
            values.Add(channels.Due);
            values.Add(TaskScripts.TailOf(origin));
        },
        static (id, values) => values.Add(id),
        (id, item) => TaskScripts.AnswerOf(item, context: null, id, task => task.Requeue(clock.GetUtcNow())),
        cancellation);

    public Task<DeadLetterCount> CountDeadLetters(TaskFilter filter, CancellationToken cancellation) => lists.CountDeadLetters(filter, cancellation);

    public async Task<Answer<Written>> DeleteDeadLetter(string taskId, CommitContext context, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(4);
        values.Add(TaskScripts.TailOf(context.Origin));
        values.Add(taskId);
        TaskScripts.AddMark(context, values);
        var answer = await partitions.Write(DeleteDeadLetterTask, partitions.Of(taskId), values, cancellation);
        var item = TaskScripts.ItemOf(answer, 0);

        // The trial before deleted it, and left nothing but its mark: nobody else does.
        return answer.MayHaveRunBefore && (item.Outcome == "unknown" || TaskScripts.IsOwnMark(item, context))
            ? new Written(0, Duplicate: false)
            : TaskScripts.AnswerOf(item, context, taskId, task => task.Delete());
    }

    public Task<int> ExpireLeases(Origin origin, CancellationToken cancellation) => scripts.InEachPartition(
        [MeasurementTaskStatus.Inflight],
        ExpireTaskLeases,
        values =>
        {
            values.Add(channels.Due);
            values.Add(channels.EndsPrefix);
            values.Add(TaskScripts.TailOf(origin));
        },
        cancellation);

    public Task<int> PurgeEnded(CancellationToken cancellation) => scripts.InEachPartition(
        [MeasurementTaskStatus.Completed, MeasurementTaskStatus.Cancelled], PurgeTasks, static _ => { }, cancellation);

    public Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation) =>
        lists.List(status, filter, page, cancellation);

    public Task<QueueStats> Stats(CancellationToken cancellation) => lists.Stats(cancellation);

    /// <summary>The stored task stays; the answer says whether a different one was asked for.</summary>
    private static Answer<Decision<MeasurementTask>> Duplicate(MeasurementTask stored, Scheduling asked, bool isSamePayload)
    {
        asked.Context.ReplayDiffered = !isSamePayload || !stored.SaysTheSameAs(asked.Task, comparesTime: asked.IsTimeGiven);
        return MeasurementTask.Schedule(stored, asked.Task);
    }
}
