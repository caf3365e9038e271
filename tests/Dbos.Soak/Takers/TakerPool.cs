using System.Globalization;

namespace Dbos.Soak.Takers;

/// <summary>The taker processes, killed at random and started again.</summary>
internal sealed class TakerPool(SoakPlan plan, IReadOnlyList<string> addresses) : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly (ChildProcess Process, string Journal)[] takers = new (ChildProcess, string)[plan.Takers];
    private int started;

    public int Kills { get; private set; }

    /// <summary>Takers that ended without being killed.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Of all takers there were.</summary>
    public IReadOnlyList<JournalEntry> Journals => [.. Directory.EnumerateFiles(folder.Path).SelectMany(Journal.Read)];

    public void Start()
    {
        for (var place = 0; place < plan.Takers; place++)
        {
            takers[place] = StartIn(place);
        }
    }

    /// <summary>Now and then one that is at work, until told to stop.</summary>
    public async Task KillAtRandom(CancellationToken stop)
    {
        while (await Pause.For(plan.BetweenTakerKills, stop))
        {
            for (var place = 0; place < plan.Takers; place++)
            {
                if (takers[place].Process.HasExited)
                {
                    Faults.Add($"a taker ended by itself: {takers[place].Process.Output}");
                    takers[place] = StartIn(place);
                }
            }

            var atWork = Enumerable.Range(0, plan.Takers).Where(place => HasWorked(takers[place].Journal)).ToArray();
            if (atWork.Length > 0)
            {
                var place = atWork[Random.Shared.Next(atWork.Length)];
                await takers[place].Process.DisposeAsync();
                Kills++;
                takers[place] = StartIn(place);
            }
        }
    }

    public async Task Stop()
    {
        foreach (var (process, _) in takers)
        {
            await process.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, _) in takers.Where(taker => taker.Process is not null))
        {
            await process.DisposeAsync();
        }

        folder.Dispose();
    }

    /// <summary>However slowly it started: a taker that is killed has done something.</summary>
    private bool HasWorked(string journal) =>
        new FileInfo(journal) is { Exists: true, Length: var length } && length >= plan.AcknowledgementsBeforeKill * Journal.BytesOfAnAcknowledgement;

    /// <summary>Half of them poll and half of them listen, on short leases of two lengths; some take only one module's tasks.</summary>
    private (ChildProcess Process, string Journal) StartIn(int place)
    {
        var order = new TakerOrder(
            place % 2 == 0 ? TakerKind.Polling : TakerKind.Streaming,
            LeaseSeconds: 1 + (place / 2 % 2),
            Module: place % 4 == 3 ? Scheduler.Modules[0] : string.Empty,
            Path.Combine(folder.Path, (++started).ToString(CultureInfo.InvariantCulture)),
            [.. addresses.Skip(started % addresses.Count), .. addresses.Take(started % addresses.Count)]);
        return (ChildProcess.Start("dotnet", [typeof(TakerPool).Assembly.Location, "--taker", .. order.Arguments]), order.Journal);
    }
}
