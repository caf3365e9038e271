using System.Runtime.CompilerServices;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// Compares what is stored of tasks with itself: every record must be where its status says, every index entry must be
/// one that its record says, and every lane's bands must have their turns. The record is what is believed. It reads
/// in slices, and believes no difference before it saw it twice around an unchanged version.
/// </summary>
public sealed class TaskAudit(IStore store, EventWriter events, Heartbeats heartbeats, TimeProvider clock) : ITaskAudit
{
    private const int AtOnce = 50;
    private const int EntriesOfASlice = 500;

    private readonly Records<MeasurementTask> records = new(store, events, heartbeats, TaskRepository.Rehydrate);

    public async IAsyncEnumerable<ConsistencySlice> Run(
        bool repair, Origin origin, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var repairs = new TaskRepairs(store, records, events, clock, repair ? origin : null);
        string? cursor = null;
        do
        {
            var slice = await store.Names(Names.PrefixesOfTasks, cursor, cancellation);
            var taskRecords = slice.Names.Where(name => Names.IsTask(name.Name));
            yield return await Check(taskRecords, record => CheckRecord(record, repairs, cancellation));
            foreach (var index in slice.Names.Where(name => !Names.IsTask(name.Name)))
            {
                await foreach (var entries in Entries(index, cancellation))
                {
                    yield return await Check(entries, entry => CheckEntry(index.Name, entry, repairs, cancellation));
                }
            }

            cursor = slice.Cursor;
        }
        while (cursor is not null);
    }

    private static async Task<ConsistencySlice> Check<T>(IEnumerable<T> all, Func<T, Task<Inconsistency?>> check)
    {
        var found = new List<Inconsistency>();
        var count = 0;
        foreach (var some in all.Chunk(AtOnce))
        {
            found.AddRange((await Task.WhenAll(some.Select(check))).OfType<Inconsistency>());
            count += some.Length;
        }

        return new ConsistencySlice(count, found);
    }

    private async IAsyncEnumerable<IReadOnlyList<IndexEntry>> Entries(
        StoreKey index, [EnumeratorCancellation] CancellationToken cancellation)
    {
        PageCursor? last = null;
        IReadOnlyList<IndexEntry> entries;
        do
        {
            entries = await store.Lowest(index, last, long.MaxValue, EntriesOfASlice, cancellation);
            if (entries.Count > 0)
            {
                last = new PageCursor(entries[^1].Score, entries[^1].Member);
                yield return entries;
            }
        }
        while (entries.Count == EntriesOfASlice);
    }

    /// <summary>A task must be in each index of its status, and held by somebody if it is inflight.</summary>
    private async Task<Inconsistency?> CheckRecord(StoreKey record, TaskRepairs repairs, CancellationToken cancellation)
    {
        while (await store.FindBare(record, cancellation) is { } stored)
        {
            var task = records.Decode(stored);
            var wrong = await WhatIsWrong(record.Partition, task, stored, cancellation);
            if (wrong is null)
            {
                return null;
            }

            if ((await store.FindBare(record, cancellation))?.Version == stored.Version
                && await repairs.PutWhereItBelongs(record, task, stored, wrong, cancellation) is { } seen)
            {
                return seen;
            }
        }

        return null;
    }

    private async Task<string?> WhatIsWrong(int partition, MeasurementTask task, StoredRecord stored, CancellationToken cancellation)
    {
        if (task.Status == MeasurementTaskStatus.Inflight && stored.LeasedUntil is null)
        {
            return "it is inflight, but nobody holds it";
        }

        foreach (var (index, score) in TaskIndexes.EntriesOf(task))
        {
            var found = await store.Score(new StoreKey(partition, index), task.Id, cancellation);
            if (found != score)
            {
                return found is null ? $"it is {task.Status.Word()}, but not in {index}" : $"it is in {index} at {found}, not at {score}";
            }
        }

        return null;
    }

    private Task<Inconsistency?> CheckEntry(string index, IndexEntry entry, TaskRepairs repairs, CancellationToken cancellation) =>
        Names.IsTurns(index)
            ? CheckTurn(index, entry, repairs, cancellation)
            : Names.ReadTasks(index) is var (status, lane) && MeasurementTaskStatusWords.Parse(status) is { } known
                ? CheckMember(index, entry, known, lane, repairs, cancellation)
                : Task.FromResult<Inconsistency?>(null);

    /// <summary>A turn must be one of a band that has members.</summary>
    private async Task<Inconsistency?> CheckTurn(string turns, IndexEntry turn, TaskRepairs repairs, CancellationToken cancellation)
    {
        var (band, lane) = (turn.Member[0] - '0', TaskIndexes.LaneNamed(turn.Member[1..]));
        return await Head(turn.Partition, lane, band, cancellation) is not null
            || await store.Score(new StoreKey(turn.Partition, turns), turn.Member, cancellation) is null
            || await Head(turn.Partition, lane, band, cancellation) is not null
                ? null
                : await repairs.Refresh(turn.Partition, lane, band, $"{turns} has a turn of lane {lane.Name}, in which nothing waits", cancellation);
    }

    /// <summary>A member must be one that its record says; and the first of a lane's band must have its turns.</summary>
    private async Task<Inconsistency?> CheckMember(
        string index, IndexEntry entry, MeasurementTaskStatus status, string? laneName, TaskRepairs repairs, CancellationToken cancellation)
    {
        var key = new StoreKey(entry.Partition, index);
        var lane = status == MeasurementTaskStatus.Pending && laneName is not null ? TaskIndexes.LaneNamed(laneName) : null;
        while (await store.Score(key, entry.Member, cancellation) is { } score)
        {
            var record = new StoreKey(entry.Partition, Names.Task(entry.Member));
            var stored = await store.FindBare(record, cancellation);
            if (stored is not null && TaskIndexes.EntriesOf(records.Decode(stored)).Contains((index, score)))
            {
                return lane is null ? null : await CheckTurns(lane, entry with { Score = score }, repairs, cancellation);
            }

            if (await store.Score(key, entry.Member, cancellation) == score
                && (await store.FindBare(record, cancellation))?.Version == stored?.Version
                && await repairs.TakeOut(record, stored, entry with { Score = score }, index, lane, cancellation) is { } seen)
            {
                return seen;
            }
        }

        return null;
    }

    private async Task<Inconsistency?> CheckTurns(Lane lane, IndexEntry member, TaskRepairs repairs, CancellationToken cancellation)
    {
        var band = Bands.BandOf(member.Score);
        if (await Head(member.Partition, lane, band, cancellation) is not { } head || head.Member != member.Member)
        {
            return null;
        }

        foreach (var turns in lane.Turns)
        {
            var turn = await store.Score(new StoreKey(member.Partition, turns), lane.TurnOf(band), cancellation);
            if ((turn is null || turn < head.Score) && await Head(member.Partition, lane, band, cancellation) == head)
            {
                return await repairs.Refresh(member.Partition, lane, band, $"lane {lane.Name} waits without its turn in {turns}", cancellation);
            }
        }

        return null;
    }

    private async Task<IndexEntry?> Head(int partition, Lane lane, int band, CancellationToken cancellation)
    {
        var first = await store.Lowest(
            new StoreKey(partition, lane.Index),
            new PageCursor(Bands.Score(band, 0), string.Empty),
            Bands.Score(band + 1, 0) - 1,
            count: 1,
            cancellation);
        return first.Count > 0 ? first[0] : null;
    }
}
