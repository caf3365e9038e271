using System.Diagnostics;
using Dbos.Application.Pipeline;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>One taker that is served as long as it listens. It asks the store only when it was told that there is something.</summary>
/// <param name="order">Its limit is how many deliveries may be unfinished at a time.</param>
public sealed class TaskFeed(
    TakeOrder order, ITaskRepository tasks, TaskGiveBack giveBack, TaskSignals signals, Origin origin, TimeProvider clock)
{
    /// <summary>Between trials while the store is away. Deliveries go on when it is back.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="deliver">Completes when the tasks were written; if it does not, they go back to the queue.</param>
    public async Task Run(Func<IReadOnlyList<MeasurementTask>, Task> deliver, CancellationToken caller)
    {
        // Each round is a trace of its own with a link to the stream's: a stream lasts for hours, and is told of at its end.
        var stream = Activity.Current?.Context ?? default;
        Activity.Current = null;
        using var seat = signals.Sit(order.Filter);
        while (true)
        {
            caller.ThrowIfCancellationRequested();
            try
            {
                var free = order.Limit - seat.Held.Count;
                if (free == 0)
                {
                    await seat.WaitForEnd(atMostHeld: order.Limit - 1, caller);
                }
                else if (!await Spans.Around("DeliverDueTasks", span => Serve(free, seat, deliver, span, stream, caller)))
                {
                    await seat.WaitForWork(caller);
                }
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
            {
                await Task.Delay(Pause, clock, caller);
            }
        }
    }

    /// <returns>Whether there was something to deliver.</returns>
    private async Task<bool> Serve(
        int free,
        TaskSignals.Seat seat,
        Func<IReadOnlyList<MeasurementTask>, Task> deliver,
        Activity? span,
        ActivityContext stream,
        CancellationToken caller)
    {
        var taken = await Take(free, seat);
        if (span is not null)
        {
            span.TellSubject(order.Filter.Subject);
            span.SetTag("dbos.count", taken.Count);
            span.AddLink(new ActivityLink(stream));
            Spans.LinkToScheduling(taken);
        }

        if (taken.Count > 0)
        {
            await Deliver(taken, seat, deliver, caller);
        }

        return taken.Count > 0;
    }

    /// <summary>Runs to its end whoever still listens: what was taken must be known, to be delivered or given back.</summary>
    private async Task<IReadOnlyList<MeasurementTask>> Take(int free, TaskSignals.Seat seat)
    {
        IReadOnlyList<MeasurementTask>? taken = null;
        seat.BeginTaking();
        try
        {
            return taken = await tasks.Take(order with { Limit = free }, origin, CancellationToken.None);
        }
        finally
        {
            seat.Hold(taken?.Select(task => task.Delivery));
        }
    }

    /// <summary>What would reach a slow reader after its lease has ended is not delivered: another taker may have it by then.</summary>
    private async Task Deliver(
        IReadOnlyList<MeasurementTask> taken,
        TaskSignals.Seat seat,
        Func<IReadOnlyList<MeasurementTask>, Task> deliver,
        CancellationToken caller)
    {
        var delivered = 0;
        try
        {
            foreach (var some in Messages(taken))
            {
                caller.ThrowIfCancellationRequested();
                if (some[0].VisibleAt <= clock.GetUtcNow())
                {
                    break;
                }

                await deliver(some);
                delivered += some.Count;
            }
        }
        finally
        {
            if (delivered < taken.Count)
            {
                var undelivered = taken.Skip(delivered).ToArray();
                seat.LetGo(undelivered.Select(task => task.Delivery));
                await giveBack.GiveBack(undelivered, origin);
            }
        }
    }

    /// <summary>Small ones, so that a taker that goes away leaves few tasks behind that were written but not read.</summary>
    private static IEnumerable<IReadOnlyList<MeasurementTask>> Messages(IReadOnlyList<MeasurementTask> taken)
    {
        const int Bytes = 16 * 1024;
        const int BytesBesidePayload = 256;
        var message = new List<MeasurementTask>();
        var bytes = 0;
        foreach (var task in taken)
        {
            bytes += task.Payload.Length + BytesBesidePayload;
            if (message.Count > 0 && bytes > Bytes)
            {
                yield return message;
                message = [];
                bytes = task.Payload.Length + BytesBesidePayload;
            }

            message.Add(task);
        }

        yield return message;
    }
}
