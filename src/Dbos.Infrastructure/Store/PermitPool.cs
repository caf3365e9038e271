using Dbos.Application;

namespace Dbos.Infrastructure.Store;

/// <summary>A number of permits. Who finds too few waits, first come first served, but not for long.</summary>
public sealed class PermitPool
{
    /// <summary>With the engine's own patience it is within the 3 s that callers are promised.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly int most;
    private readonly int mostWaiting;
    private readonly Queue<(int Count, TaskCompletionSource Entry)> waiting = [];
    private int free;

    /// <summary>How many calls have left with an answer of the store.</summary>
    private long answers;

    public PermitPool(int most, int mostWaiting) => (this.most, this.mostWaiting, free) = (most, mostWaiting, most);

    /// <summary>To be given back by <see cref="Leave"/>. What costs more than there is takes all.</summary>
    /// <exception cref="StoreBusyException">Too many wait already, or the wait was too long; nothing was taken.</exception>
    /// <exception cref="StoreUnavailableException">The wait was too long, and the store answered no call meanwhile.</exception>
    public ValueTask Enter(int count)
    {
        lock (gate)
        {
            count = Math.Min(count, most);
            if (waiting.Count == 0 && count <= free)
            {
                free -= count;
                return ValueTask.CompletedTask;
            }

            if (waiting.Count >= mostWaiting)
            {
                throw new StoreBusyException();
            }

            var entry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue((count, entry));
            return new ValueTask(Wait(entry, answers));
        }
    }

    /// <param name="isAnswered">The store has answered.</param>
    public void Leave(int count, bool isAnswered)
    {
        lock (gate)
        {
            answers += isAnswered ? 1 : 0;
            free += Math.Min(count, most);
            LetIn();
        }
    }

    private async Task Wait(TaskCompletionSource entry, long answersBefore)
    {
        try
        {
            await entry.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            lock (gate)
            {
                if (entry.TrySetCanceled())
                {
                    if (answers == answersBefore)
                    {
                        // No other call enters in its place: it would wait for the store too, and be too late.
                        throw new StoreUnavailableException("the store does not answer");
                    }

                    // It may have been the first, too large for what is free, before others that are not.
                    LetIn();
                    throw new StoreBusyException();
                }
            }
        }
    }

    private void LetIn()
    {
        while (waiting.TryPeek(out var next) && (next.Entry.Task.IsCanceled || next.Count <= free))
        {
            waiting.Dequeue();
            if (next.Entry.TrySetResult())
            {
                free -= next.Count;
            }
        }
    }
}
