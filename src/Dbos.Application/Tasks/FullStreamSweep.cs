using Dbos.Application.Pipeline;

namespace Dbos.Application.Tasks;

/// <summary>
/// Looks up the deliveries of streams that are full. A publication that a delivery ended may be lost; without this check the
/// stream would then stand still until the task's lease is over, and longer.
/// </summary>
public sealed class FullStreamSweep(ITaskRepository tasks, TaskSignals signals, TimeProvider clock) : ISweep
{
    private const int Slice = 1_000;
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(1);

    /// <summary>One slice after the other, spread over a second, so that thousands of streams do not delay other calls.</summary>
    public async Task<int> Run(CancellationToken cancellation)
    {
        var slices = signals.Full.SelectMany(stream => stream.Held).Chunk(Slice).ToArray();
        for (var i = 0; i < slices.Length; i++)
        {
            if (i > 0)
            {
                await Task.Delay(Spread / slices.Length, clock, cancellation);
            }

            foreach (var delivery in await tasks.FindEnded(slices[i], cancellation))
            {
                signals.Ended(delivery);
            }
        }

        // The next check is due in a second, whatever this one found.
        return 0;
    }
}
