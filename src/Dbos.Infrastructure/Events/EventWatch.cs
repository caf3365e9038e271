using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Events;
using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// Goes forward through all streams, each in the order of its commits, from the last entry that was read of it. That entry is read
/// again with those that follow: where it is missing, others may be missing too.
/// </summary>
internal sealed class EventWatch(IEventStreams streams, EventHeads heads, EventFilter filter, TimeProvider clock)
{
    private const int MostAtOnce = 512;

    /// <summary>A watcher whose filter passes little still gets new places, so that it does not resume from one that is trimmed.</summary>
    private const int MostUnreported = 1_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<EventStreamKey> all = EventStreamKey.All(streams.Partitions);

    /// <summary>Of each stream the last entry that was read; null: none.</summary>
    private StreamPosition?[] read = [];
    private string generation = string.Empty;
    private bool isBehind = true;
    private int unreported;

    /// <param name="after">A place, an event's id, or empty: what is committed from now on.</param>
    public async IAsyncEnumerable<EventBatch> Run(string after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        generation = await streams.Generation(cancellation);
        if (await Start(after, cancellation) is not { } start)
        {
            yield return EventBatch.NoLongerKept(after);
            yield break;
        }

        read = [.. start];
        yield return new EventBatch([], Here());
        while (true)
        {
            if (await Next(cancellation) is not { } passed)
            {
                yield return EventBatch.NoLongerKept(Here().ToString());
                yield break;
            }

            if (passed.Count > 0 || unreported >= MostUnreported)
            {
                unreported = 0;
                yield return new EventBatch(passed, Here());
            }
        }
    }

    /// <summary>Null: it is no place in this store. Whether its entries are still there is seen when the entries behind them are read.</summary>
    private async Task<IReadOnlyList<StreamPosition?>?> Start(string after, CancellationToken cancellation)
    {
        if (EventPlace.Parse(after) is { } place)
        {
            return place.IsIn(generation, all.Count) ? place.Positions : null;
        }

        if (EventId.Parse(after) is not { } id)
        {
            return await heads.Now(cancellation);
        }

        // What other streams committed in the same millisecond may have been before or after it, and comes.
        return id.Partition >= streams.Partitions
            ? null
            : await Task.WhenAll(all.Select(async stream => stream.IdAt(id.Position) == id
                ? id.Position
                : await streams.LastBefore(stream, id.Position.Milliseconds, cancellation)));
    }

    /// <summary>The new events that pass the filter, perhaps none; null: some of those that are new have left the log.</summary>
    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>?> Next(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var newest = isBehind ? await heads.Now(cancellation) : await heads.Next(cancellation);
                var chunks = await Task.WhenAll(Enumerable.Range(0, all.Count)
                    .Where(i => newest[i] != read[i])
                    .Select(i => After(i, cancellation)));
                return chunks.All(chunk => chunk is not null) ? Merge(chunks!) : null;
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
            {
                await Task.Delay(Pause, clock, cancellation);
            }
        }
    }

    /// <summary>The entries behind the last that was read, oldest first; null: some have left the stream.</summary>
    private async Task<Chunk?> After(int number, CancellationToken cancellation)
    {
        var last = read[number];
        var some = await streams.Forward(all[number], last, MostAtOnce, cancellation);
        var isWhole = last is null
            ? some.Count == 0 || !await streams.MayBeTrimmed(all[number], cancellation)
            : some.Count > 0 && some[0].Position == last;
        return isWhole ? new Chunk(number, new Queue<StoredEvent>(some.Skip(last is null ? 0 : 1)), HasMore: some.Count == MostAtOnce) : null;
    }

    /// <summary>By time, as far as that does not change the order within a stream. What is left over is read again.</summary>
    private List<ReadOnlyMemory<byte>> Merge(IEnumerable<Chunk> chunks)
    {
        var passed = new List<ReadOnlyMemory<byte>>();
        var bytes = 0;
        var queue = new PriorityQueue<Chunk, (long, long, int, int)>();
        isBehind = false;
        foreach (var chunk in chunks.Where(chunk => chunk.Entries.Count > 0))
        {
            queue.Enqueue(chunk, IdOf(chunk).Order);
        }

        while (queue.TryDequeue(out var chunk, out _))
        {
            var (position, json) = chunk.Entries.Peek();
            if (filter.Matches(json.Span))
            {
                var whole = EventJson.WithId(IdOf(chunk), json.Span);
                bytes += whole.Length;
                if (bytes > PageRequest.MostBytes && passed.Count > 0)
                {
                    isBehind = true;
                    return passed;
                }

                passed.Add(whole);
            }

            read[chunk.Number] = position;
            unreported++;
            chunk.Entries.Dequeue();
            if (chunk.Entries.Count > 0)
            {
                queue.Enqueue(chunk, IdOf(chunk).Order);
            }
            else if (chunk.HasMore)
            {
                isBehind = true;
                return passed;
            }
        }

        return passed;
    }

    private EventId IdOf(Chunk chunk) => all[chunk.Number].IdAt(chunk.Entries.Peek().Position);

    private EventPlace Here() => new(generation, [.. read]);

    /// <param name="Number">Of the stream.</param>
    /// <param name="HasMore">The stream may go on behind it.</param>
    private sealed record Chunk(int Number, Queue<StoredEvent> Entries, bool HasMore);
}
