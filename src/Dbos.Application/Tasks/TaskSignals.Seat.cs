using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

public sealed partial class TaskSignals
{
    /// <summary>One taker. Used by one flow of control at a time.</summary>
    public sealed class Seat : IDisposable
    {
        private readonly TaskSignals signals;
        private readonly Line line;
        private readonly HashSet<TaskDelivery> held = [];
        private TaskCompletionSource called = NewSource();

        /// <summary>Null: no caller waits for a delivery to end.</summary>
        private TaskCompletionSource? ended;

        private long take;

        /// <summary>It was called, and has not looked since: if it never does, the call is the next one's.</summary>
        private bool isCalled;

        internal Seat(TaskSignals signals, Line line) => (this.signals, this.line) = (signals, line);

        /// <summary>Deliveries that have not ended as far as is known.</summary>
        public IReadOnlyCollection<TaskDelivery> Held
        {
            get
            {
                lock (signals.gate)
                {
                    return [.. held];
                }
            }
        }

        /// <summary>From here until <see cref="Hold"/> deliveries may come into being and end.</summary>
        public void BeginTaking()
        {
            lock (signals.gate)
            {
                take = signals.early.BeginTake();
            }
        }

        /// <summary>What was taken, if anything, is held here; and the next in line is called if there was something.</summary>
        /// <param name="taken">Null: the store did not answer, and a call is not answered either.</param>
        public void Hold(IEnumerable<TaskDelivery>? taken)
        {
            lock (signals.gate)
            {
                isCalled &= taken is null;
                var any = false;
                foreach (var delivery in taken ?? [])
                {
                    any = true;
                    if (!signals.early.Has(delivery))
                    {
                        held.Add(delivery);
                        signals.holders[delivery] = this;
                    }
                }

                signals.early.EndTake(take);
                if (any && line.Seats.Count > 1)
                {
                    line.CallNext();
                }
            }
        }

        /// <summary>They are held no longer, whatever was told.</summary>
        public void LetGo(IEnumerable<TaskDelivery> deliveries)
        {
            lock (signals.gate)
            {
                foreach (var delivery in deliveries)
                {
                    signals.Forget(delivery, this);
                    held.Remove(delivery);
                }
            }
        }

        /// <summary>Until a delivery that is held here has ended.</summary>
        public Task WaitForEnd(int atMostHeld, CancellationToken cancellation)
        {
            lock (signals.gate)
            {
                if (held.Count <= atMostHeld)
                {
                    return Task.CompletedTask;
                }

                ended = NewSource();
                return ended.Task.WaitAsync(cancellation);
            }
        }

        /// <summary>Until something may be due.</summary>
        public Task WaitForWork(CancellationToken cancellation)
        {
            lock (signals.gate)
            {
                if (line.IsCalledInVain)
                {
                    line.IsCalledInVain = false;
                    isCalled = true;
                    return Task.CompletedTask;
                }

                called = NewSource();
                line.Waiting.AddLast(this);
                return called.Task.WaitAsync(cancellation);
            }
        }

        public void Dispose()
        {
            lock (signals.gate)
            {
                line.Waiting.Remove(this);
                foreach (var delivery in held)
                {
                    signals.Forget(delivery, this);
                }

                line.Seats.Remove(this);
                if (line.Seats.Count == 0)
                {
                    signals.lines.Remove(line.Filter);
                }
                else if (isCalled)
                {
                    line.CallNext();
                }
            }
        }

        internal void Call()
        {
            isCalled = true;
            called.TrySetResult();
        }

        internal bool IsFull => ended is not null;

        internal void LetGo(TaskDelivery delivery)
        {
            held.Remove(delivery);
            ended?.TrySetResult();
            ended = null;
        }

        private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
