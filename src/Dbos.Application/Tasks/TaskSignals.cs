namespace Dbos.Application.Tasks;

/// <summary>
/// Where takers wait in line, so that none has to ask again and again: the store tells here what has become due and
/// which deliveries have ended. One taker of a line is called at a time; whoever took something calls the next.
/// </summary>
public sealed class TaskSignals
{
    private readonly Lock gate = new();
    private readonly Dictionary<TaskFilter, Line> lines = [];
    private readonly Dictionary<string, Seat> holders = [];

    /// <summary>Deliveries whose end was told before their taker knew of them; kept while somebody is taking.</summary>
    private readonly HashSet<string> endedEarly = [];
    private int taking;

    /// <summary>A taker waits for something to be due.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (gate)
            {
                return lines.Values.Any(line => line.Waiting.Count > 0);
            }
        }
    }

    /// <summary>A taker's place in the line of its filter, until it is disposed.</summary>
    public Seat Sit(TaskFilter filter)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(filter, out var line))
            {
                lines.Add(filter, line = new Line(filter));
            }

            line.Seats++;
            return new Seat(this, line);
        }
    }

    /// <summary>A task of this agent's module is due.</summary>
    public void Due(string agentId, string moduleName)
    {
        lock (gate)
        {
            foreach (var filter in (HashSet<TaskFilter>)
                [new(agentId, moduleName), new(agentId, string.Empty), new(string.Empty, moduleName), TaskFilter.Any])
            {
                lines.GetValueOrDefault(filter)?.CallNext();
            }
        }
    }

    /// <summary>A delivery to one of this process's takers has ended.</summary>
    public void Ended(string taskId)
    {
        lock (gate)
        {
            if (holders.Remove(taskId, out var seat))
            {
                seat.LetGo(taskId);
            }
            else if (taking > 0)
            {
                endedEarly.Add(taskId);
            }
        }
    }

    /// <summary>Something may not have been told: everybody looks again.</summary>
    public void Missed()
    {
        lock (gate)
        {
            foreach (var line in lines.Values)
            {
                line.CallAll();
            }

            foreach (var seat in holders.Values)
            {
                seat.Doubt();
            }
        }
    }

    /// <summary>What another taker holds by now stays its own.</summary>
    private void Forget(string taskId, Seat holder)
    {
        if (holders.GetValueOrDefault(taskId) == holder)
        {
            holders.Remove(taskId);
        }
    }

    /// <summary>One taker. Used by one flow of control at a time.</summary>
    public sealed class Seat : IDisposable
    {
        private readonly TaskSignals signals;
        private readonly Line line;
        private readonly HashSet<string> held = [];
        private TaskCompletionSource changed = NewSource();
        private TaskCompletionSource called = NewSource();

        /// <summary>It was called, and has not looked since: if it never does, the call is the next one's.</summary>
        private bool isCalled;

        internal Seat(TaskSignals signals, Line line) => (this.signals, this.line) = (signals, line);

        /// <summary>Deliveries that have not ended as far as is known.</summary>
        public IReadOnlyCollection<string> Held
        {
            get
            {
                lock (signals.gate)
                {
                    return [.. held];
                }
            }
        }

        /// <summary>Something may not have been told of what is held.</summary>
        public bool IsInDoubt { get; private set; }

        /// <summary>From here until <see cref="Hold"/> deliveries may come into being and end.</summary>
        public void BeginTaking()
        {
            lock (signals.gate)
            {
                signals.taking++;
            }
        }

        /// <summary>What was taken, if anything, is held here; and the next in line is called if there was something.</summary>
        public void Hold(IEnumerable<string> taskIds)
        {
            lock (signals.gate)
            {
                isCalled = false;
                var any = false;
                foreach (var taskId in taskIds)
                {
                    any = true;
                    if (!signals.endedEarly.Remove(taskId))
                    {
                        held.Add(taskId);
                        signals.holders[taskId] = this;
                    }
                }

                if (--signals.taking == 0)
                {
                    signals.endedEarly.Clear();
                }

                if (any && line.Seats > 1)
                {
                    line.CallNext();
                }
            }
        }

        /// <summary>They are held no longer, whatever was told.</summary>
        public void LetGo(IEnumerable<string> taskIds)
        {
            lock (signals.gate)
            {
                foreach (var taskId in taskIds)
                {
                    signals.Forget(taskId, this);
                    held.Remove(taskId);
                }
            }
        }

        public void TrustAgain()
        {
            lock (signals.gate)
            {
                IsInDoubt = false;
            }
        }

        /// <summary>Until a delivery that is held here has ended.</summary>
        public Task WaitForEnd(int atMostHeld, CancellationToken cancellation)
        {
            lock (signals.gate)
            {
                if (held.Count <= atMostHeld || IsInDoubt)
                {
                    return Task.CompletedTask;
                }

                changed = NewSource();
                return changed.Task.WaitAsync(cancellation);
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
                foreach (var taskId in held)
                {
                    signals.Forget(taskId, this);
                }

                if (--line.Seats == 0)
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

        internal void LetGo(string taskId)
        {
            held.Remove(taskId);
            changed.TrySetResult();
        }

        internal void Doubt()
        {
            IsInDoubt = true;
            changed.TrySetResult();
        }

        private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal sealed class Line(TaskFilter filter)
    {
        public TaskFilter Filter => filter;

        public int Seats { get; set; }

        public LinkedList<Seat> Waiting { get; } = [];

        /// <summary>Nobody waited when there was a call: whoever waits next looks again at once.</summary>
        public bool IsCalledInVain { get; set; }

        public void CallNext()
        {
            if (Waiting.First is { } first)
            {
                Waiting.RemoveFirst();
                first.Value.Call();
            }
            else
            {
                IsCalledInVain = true;
            }
        }

        public void CallAll()
        {
            foreach (var seat in Waiting)
            {
                seat.Call();
            }

            Waiting.Clear();
            IsCalledInVain = true;
        }
    }
}
