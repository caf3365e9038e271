using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>What the audit does about what it finds: nothing, or one commit with one event for each.</summary>
/// <param name="origin">Who asked for repairs; null: nobody did.</param>
internal sealed class TaskRepairs(IStore store, Records<MeasurementTask> records, EventWriter events, TimeProvider clock, Origin? origin)
{
    /// <returns>Null: the record changed meanwhile.</returns>
    public Task<Inconsistency?> PutWhereItBelongs(
        StoreKey record, MeasurementTask task, StoredRecord stored, string wrong, CancellationToken cancellation)
    {
        // Held by nobody: as if its lease expired just now.
        var isHeldByNobody = task.Status == MeasurementTaskStatus.Inflight && stored.LeasedUntil is null;
        var next = isHeldByNobody ? task with { VisibleAt = clock.GetUtcNow() } : task;
        var (indexes, lanes) = TaskIndexes.Moves(null, next);
        return Commit(
            task.Id,
            wrong,
            work => records.CommitOf(next with { Version = task.Version + 1 }, record, work) with
            {
                Lease = isHeldByNobody ? LeaseChange.Until(next.VisibleAt) : default,
                Indexes = indexes,

                // Out and in again, so that its lane's turns are mended too.
                Lanes = [.. lanes.Select(change => change with { Due = null }), .. lanes],
            },
            cancellation);
    }

    /// <param name="stored">Null: there is no such record.</param>
    /// <param name="lane">Of which the index is; null: it is a plain one.</param>
    /// <returns>Null: the record changed meanwhile.</returns>
    public Task<Inconsistency?> TakeOut(
        StoreKey record, StoredRecord? stored, IndexEntry entry, string index, Lane? lane, CancellationToken cancellation)
    {
        var wrong = stored is null ? $"{index} has it, but there is no such task" : $"{index} has it at {entry.Score}, where it does not belong";
        return Commit(
            entry.Member,
            wrong,
            work =>
            {
                var commit = stored is null
                    ? new Commit(record.Partition, record.Name, ExpectedVersion: 0, default) { Deletes = true, Events = Told(work) }
                    : PutBack(record, records.Decode(stored), work);
                return lane is null
                    ? commit with { Indexes = [new(index, entry.Member, null), .. commit.Indexes] }
                    : commit with { Lanes = [new(lane, Bands.BandOf(entry.Score), entry.Member, null), .. commit.Lanes] };
            },
            cancellation);
    }

    /// <summary>A lane's turns are made what its members say.</summary>
    public Task<Inconsistency?> Refresh(int partition, Lane lane, int band, string wrong, CancellationToken cancellation) => Commit(
        string.Empty,
        wrong,
        work => new Commit(partition, Names.Task(string.Empty), ExpectedVersion: 0, default)
        {
            // A record that never is; and leaving, whoever leaves, refreshes the turns.
            Deletes = true,
            Lanes = [new(lane, band, string.Empty, null)],
            Events = Told(work),
        },
        cancellation);

    private Commit PutBack(StoreKey record, MeasurementTask task, CommitContext work)
    {
        var (indexes, lanes) = TaskIndexes.Moves(null, task);
        return records.CommitOf(task with { Version = task.Version + 1 }, record, work) with { Indexes = indexes, Lanes = lanes };
    }

    private async Task<Inconsistency?> Commit(
        string taskId, string wrong, Func<CommitContext, Commit> commitOf, CancellationToken cancellation)
    {
        var sentence = taskId.Length > 0 ? $"task {taskId}: {wrong}" : wrong;
        if (origin is null)
        {
            return new Inconsistency(taskId, sentence, Repaired: false);
        }

        var work = new CommitContext
        {
            Origin = origin,
            Events = [new AuditEvent(EventTypes.TaskRepaired, $"repaired: {sentence}", (AuditEvent.Names.TaskId, taskId))],
        };
        var outcome = await store.Commit([commitOf(work) with { Counts = TaskCounts.Of(work.Events) }], cancellation);
        return outcome[0] is CommitOutcome.Done ? new Inconsistency(taskId, sentence, Repaired: true) : null;
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> Told(CommitContext work) =>
        [.. work.Events.Select(told => events.Write(told, work.Origin))];
}
