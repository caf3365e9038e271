using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

public sealed partial class TaskSignals
{
    /// <summary>
    /// Ends of deliveries that were told before their taker knew of the delivery. Each is kept for as long as a take runs that had
    /// begun by then, as no later one can have made the delivery: with many takers there may always be some take that runs.
    /// </summary>
    private sealed class EarlyEnds
    {
        private readonly SortedSet<long> running = [];
        private readonly Dictionary<TaskDelivery, long> latest = [];
        private readonly Queue<(TaskDelivery Delivery, long Begun)> told = [];
        private long begun;

        public int Count => latest.Count;

        /// <returns>Its number.</returns>
        public long BeginTake()
        {
            running.Add(++begun);
            return begun;
        }

        public void EndTake(long take)
        {
            running.Remove(take);
            var oldest = running.Count > 0 ? running.Min : long.MaxValue;
            while (told.TryPeek(out var end) && end.Begun < oldest)
            {
                told.Dequeue();
                if (latest.GetValueOrDefault(end.Delivery) == end.Begun)
                {
                    latest.Remove(end.Delivery);
                }
            }
        }

        public void Add(TaskDelivery delivery)
        {
            if (running.Count > 0)
            {
                latest[delivery] = begun;
                told.Enqueue((delivery, begun));
            }
        }

        public bool Has(TaskDelivery delivery) => latest.ContainsKey(delivery);
    }
}
