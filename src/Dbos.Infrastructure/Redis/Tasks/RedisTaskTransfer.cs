using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>All tasks of the store in Redis.</summary>
internal sealed class RedisTaskTransfer(RedisPartitions partitions, RedisConnection connection, DbosPolicy policy)
    : ISubjectTransfer<MeasurementTask>
{
    private const string Prefix = "task:";
    private const int AtOnce = 50;
    private const int ValuesOfOne = 9;

    private static readonly Script ImportTasks = new("import_tasks") { IsRepeatable = false };

    private readonly KeyScan scan = new(connection);
    private readonly RedisTaskLists lists = new(partitions);

    public async IAsyncEnumerable<MeasurementTask> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // A scan may find a key twice.
        var seen = new HashSet<string>();
        string? cursor = null;
        do
        {
            (var found, cursor) = await scan.Next(connection.Keys.Pattern, cursor, cancellation);
            var ids = found.Select(connection.Keys.Read).OfType<StoreKey>()
                .Where(name => name.Name.StartsWith(Prefix, StringComparison.Ordinal))
                .Select(name => name.Name[Prefix.Length..])
                .Where(seen.Add);
            foreach (var some in ids.Chunk(AtOnce))
            {
                foreach (var task in await Task.WhenAll(some.Select(id => lists.Find(id, withPayload: true, cancellation))))
                {
                    if (task is not null)
                    {
                        yield return task;
                    }
                }
            }
        }
        while (cursor is not null);
    }

    public async Task Import(IReadOnlyList<MeasurementTask> records, CancellationToken cancellation)
    {
        foreach (var partition in records.GroupBy(task => partitions.Of(task.Id)))
        {
            foreach (var some in partition.Chunk(AtOnce))
            {
                var values = partitions.NewWrite(2 + (ValuesOfOne * some.Length));
                values.Add(some.Max(task => task.LeaseToken));
                values.Add(some.Length);
                foreach (var task in some)
                {
                    Add(task, values);
                }

                await partitions.Write(ImportTasks, partition.Key, values, cancellation);
            }
        }
    }

    private void Add(MeasurementTask task, List<RedisValue> values)
    {
        var (state, document) = TaskRecord.Encode(task, RedisPartitions.OperationOf(values));
        values.Add(task.Id);
        values.Add(state);
        values.Add(document);
        values.Add(task.Payload);
        values.Add(TaskRecord.EncodeErrors(task));
        values.Add(task.Status.Word());
        values.Add(QueueNames.Of(task.AgentId, task.ModuleName));
        values.Add(TaskRecord.BandOf(task));
        var ended = task.EndedAt ?? DateTimeOffset.UnixEpoch;
        values.Add((task.Status switch
        {
            MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight => task.VisibleAt,
            MeasurementTaskStatus.Failed => ended,
            _ => ended + policy.CompletedTaskRetention,
        }).ToUnixTimeMilliseconds());
    }
}
