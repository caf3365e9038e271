using System.Runtime.CompilerServices;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Transfer;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>All tasks, out of the embedded store and into it.</summary>
internal sealed class SqliteTaskTransfer(SqliteDatabase database, TimeProvider clock) : ISubjectTransfer<MeasurementTask>
{
    private const int MostOfASlice = SqliteTaskRepository.MostAtOnce;
    private const long BytesOfASlice = 4 << 20;

    public async IAsyncEnumerable<MeasurementTask> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        List<MeasurementTask> slice = [];
        do
        {
            var after = slice is [.., var last] ? last.Id : string.Empty;
            slice = await database.Read(session => Slice(session, after)).WaitAsync(cancellation);
            foreach (var task in slice)
            {
                yield return task;
            }
        }
        while (slice.Count > 0);
    }

    public async Task Import(IReadOnlyList<MeasurementTask> records, CancellationToken cancellation)
    {
        foreach (var slice in records.Chunk(MostOfASlice))
        {
            await database.Write(session => Import(session, slice), cancellation);
        }
    }

    private static List<MeasurementTask> Slice(SqliteSession session, string after)
    {
        var slice = new List<MeasurementTask>();
        long bytes = 0;
        using var rows = session.Read($"SELECT {Columns} FROM task WHERE id > $1 ORDER BY id LIMIT $2", after, MostOfASlice);
        while (bytes < BytesOfASlice && rows.Read())
        {
            var row = Row(rows);
            slice.Add(session.WithPayload(row));
            bytes += row.Bytes;
        }

        return slice;
    }

    private int Import(SqliteSession session, MeasurementTask[] tasks)
    {
        var now = Milliseconds(clock.GetUtcNow());
        foreach (var task in tasks)
        {
            var isEnded = task.Status is not (MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight);

            // Only tasks that have ended are found by when they did: one that does not say ended long ago.
            session.Insert(task with { EndedAt = isEnded ? task.EndedAt ?? DateTimeOffset.UnixEpoch : null });
            session.Count(task.Status.Word(), 1, TaskChanges.TasksByStatus);
            if (task.Status == MeasurementTaskStatus.Pending)
            {
                session.Activate(TaskQueue.Of(task), Milliseconds(task.VisibleAt), now);
            }
        }

        session.Run("UPDATE lease_token SET latest = max(latest, $1) WHERE id = 1", tasks.Max(task => task.LeaseToken));
        return tasks.Length;
    }
}
