using System.Collections.Concurrent;
using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// The inflight tasks that this process took or changed lately, without their payloads: what it decides on without reading. The
/// commit is guarded by their versions, so nothing depends on their being here, or on their being true any more.
/// </summary>
internal sealed class HeldTasks
{
    /// <summary>Some 20 MB. Beyond, the first that came go; their ends cost a read more.</summary>
    private const int Most = 16_384;

    private readonly ConcurrentDictionary<string, MeasurementTask> tasks = new();
    private readonly ConcurrentQueue<MeasurementTask> comings = new();

    public MeasurementTask? Find(string taskId) => tasks.GetValueOrDefault(taskId);

    /// <param name="isSo">False: it was not saved like this, so that what is known of it is not true any more.</param>
    public void Hear(MeasurementTask task, bool isSo)
    {
        if (!isSo || task.Status != MeasurementTaskStatus.Inflight)
        {
            tasks.TryRemove(task.Id, out _);
            return;
        }

        // The store keeps leases by the millisecond.
        var bare = task with { Payload = default, VisibleAt = DateTimeOffset.FromUnixTimeMilliseconds(task.VisibleAt.ToUnixTimeMilliseconds()) };
        tasks[task.Id] = bare;
        comings.Enqueue(bare);
        while (comings.Count > Most && comings.TryDequeue(out var first))
        {
            tasks.TryRemove(KeyValuePair.Create(first.Id, first));
        }
    }
}
