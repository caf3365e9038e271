using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Events;
using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// Goes forward through all logs, each in the order of its commits, from the last event that was had of it: whatever order
/// ids have, none is left out and none comes twice.
/// </summary>
internal sealed class EventWatch(EventLogs logs, EventHeads heads, EventFilter filter, TimeProvider clock)
{
    private const int MostAtOnce = 512;
    private const int FewNew = 32;

    /// <summary>So that a watcher to whom nothing is told does not hold a place that is not kept any more.</summary>
    private const int MostUntold = 1_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly string since = EventIds.First(DateTimeOffset.FromUnixTimeSeconds(filter.Since));

    /// <summary>Of each log the last event; empty: none.</summary>
    private string[] had = [];
    private bool isBehind = true;
    private int untold;

    /// <param name="after">A place, an event's id, or empty: what is told from now on.</param>
    public async IAsyncEnumerable<EventBatch> Run(string after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!await Start(after, cancellation))
        {
            yield return EventBatch.NoLongerKept(after);
            yield break;
        }

        yield return new EventBatch([], Here());
        while (true)
        {
            if (await Next(cancellation) is not { } told)
            {
                yield return EventBatch.NoLongerKept(Here().ToString());
                yield break;
            }

            if (told.Count > 0 || untold >= MostUntold)
            {
                untold = 0;
                yield return new EventBatch(told, Here());
            }
        }
    }

    private async Task<bool> Start(string after, CancellationToken cancellation)
    {
        if (EventPlace.Parse(after) is { } place)
        {
            had = [.. place.Ids];
            return true;
        }

        if (after.Length == 0)
        {
            had = [.. await logs.Heads(cancellation)];
            return true;
        }

        var starts = await Task.WhenAll(Enumerable.Range(0, logs.Count).Select(log => logs.LastUpTo(log, after, cancellation)));
        had = [.. starts.Select(start => start ?? string.Empty)];
        return starts.All(start => start is not null);
    }

    /// <summary>What the filter lets through of what is new, perhaps nothing; null: some of what is new is not kept any more.</summary>
    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>?> Next(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var newest = isBehind ? await logs.Heads(cancellation) : await heads.Next(cancellation);
                var some = await Task.WhenAll(Enumerable.Range(0, logs.Count)
                    .Where(log => newest[log] != had[log])
                    .Select(log => After(log, cancellation)));
                return some.All(chunk => chunk is not null) ? Merge(some!) : null;
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
            {
                await Task.Delay(Pause, clock, cancellation);
            }
        }
    }

    /// <summary>The events after the last that was had, oldest first; null: it is not kept any more.</summary>
    private async Task<Chunk?> After(int log, CancellationToken cancellation)
    {
        var last = had[log];
        var newest = await logs.Read(log, 0, FewNew, cancellation);
        if (Chunk.Of(log, newest, last, isHead: true, isWhole: newest.Count < FewNew) is { } few)
        {
            return few;
        }

        while (true)
        {
            if (await logs.Find(log, last, cancellation) is not { } index)
            {
                return null;
            }

            // Those that are told meanwhile move it back.
            var from = Math.Max(0, index - MostAtOnce);
            var count = index - from + 1 + FewNew;
            var some = await logs.Read(log, from, count, cancellation);
            if (Chunk.Of(log, some, last, isHead: from == 0, isWhole: some.Count < count) is { } chunk)
            {
                return chunk;
            }
        }
    }

    /// <summary>In the order of ids as far as that does not change the order within a log. What is left over is read again.</summary>
    private List<ReadOnlyMemory<byte>> Merge(IReadOnlyList<Chunk> chunks)
    {
        var told = new List<ReadOnlyMemory<byte>>();
        var bytes = 0;
        var heads = new PriorityQueue<Chunk, string>(chunks.Where(chunk => !chunk.IsEmpty).Select(chunk => (chunk, chunk.Next.Id)), StringComparer.Ordinal);
        isBehind = false;
        while (heads.TryDequeue(out var chunk, out _))
        {
            var next = chunk.Next;
            if (next.IsAfter(since) && filter.LetsThrough(next.Json.Span))
            {
                bytes += next.Json.Length;
                if (bytes > PageRequest.MostBytes && told.Count > 0)
                {
                    isBehind = true;
                    return told;
                }

                told.Add(next.Json);
            }

            had[chunk.Log] = next.Id;
            untold++;
            chunk.MoveOn();
            if (!chunk.IsEmpty)
            {
                heads.Enqueue(chunk, chunk.Next.Id);
            }
            else if (chunk.HasMore)
            {
                isBehind = true;
                return told;
            }
        }

        return told;
    }

    private EventPlace Here() => new([.. had]);

    /// <param name="hasMore">The log goes on behind it.</param>
    private sealed class Chunk(int log, IReadOnlyList<ToldEvent> newestFirst, int count, bool hasMore)
    {
        private int left = count;

        public int Log => log;

        public bool HasMore => hasMore;

        public bool IsEmpty => left == 0;

        public ToldEvent Next => newestFirst[left - 1];

        public void MoveOn() => left--;

        /// <summary>Null: the last that was had is not among them.</summary>
        public static Chunk? Of(int log, IReadOnlyList<ToldEvent> newestFirst, string last, bool isHead, bool isWhole)
        {
            for (var i = 0; i < newestFirst.Count; i++)
            {
                if (newestFirst[i].Id == last)
                {
                    return new Chunk(log, newestFirst, i, hasMore: !isHead);
                }
            }

            // Where none was had before, the oldest comes first.
            return last.Length == 0 && isWhole ? new Chunk(log, newestFirst, newestFirst.Count, hasMore: !isHead) : null;
        }
    }
}
