using System.Collections.Concurrent;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Faults;

/// <summary>
/// Makes one fault after the other, of DBOS and its clients and beside it of Redis: each kind once, those first that even the
/// shortest run is to have, and then at random. What is chosen follows from the seed; when it happens, and which node is a master by then, does not, as a fault lasts until its victim is back.
/// </summary>
internal sealed class Trouble(Backing backing, IReadOnlyList<Replica> replicas, History history, int seed)
{
    private static readonly Fault[] OfDbos =
        [Fault.DbosKilled, Fault.ClientsCutOff, Fault.DbosPaused, Fault.DbosClockSkewed, Fault.ClientsDelayed];

    /// <summary>Kills twice as often as the others.</summary>
    private static readonly Fault[] OfRedis =
        [Fault.MasterKilled, Fault.MasterCutOff, Fault.MasterFull, Fault.RedisPaused, Fault.MasterDelayed, Fault.MasterKilled];

    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan BetweenCuts = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan RevivePatience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<MadeFault> made = [];

    public IReadOnlyList<MadeFault> Made => [.. made];

    public Task Run(CancellationToken stop) => Task.WhenAll(
        Repeat(OfDbos, new Random(seed), MakeOfDbos, stop),
        Repeat(OfRedis, new Random(seed + 1), MakeOfRedis, stop));

    private async Task Repeat(Fault[] faults, Random random, Func<Fault, Random, Task<MadeFault>> make, CancellationToken stop)
    {
        for (var number = 0; await Pause.For(Between(random, ShortestRest, LongestRest), stop); number++)
        {
            made.Enqueue(await make(faults[number < faults.Length ? number : random.Next(faults.Length)], random));
        }
    }

    private async Task<MadeFault> MakeOfDbos(Fault fault, Random random)
    {
        var began = history.Now;
        var replica = replicas[random.Next(replicas.Count)];
        var length = Seconds(random, 0.5, 5);
        switch (fault)
        {
            case Fault.DbosKilled:
                await replica.Server.Kill();
                await Task.Delay(length / 2);
                await Revive(replica.Server.Restart);
                break;
            case Fault.DbosPaused:
                replica.Server.Process.Signal(UnixSignal.Stop);
                await Task.Delay(length);
                replica.Server.Process.Signal(UnixSignal.Continue);
                break;
            case Fault.DbosClockSkewed:
                replica.Skew(TimeSpan.FromSeconds(random.Next(-3_600, 3_600)));
                break;
            case Fault.ClientsCutOff:
                await CutThrough(replica.Proxy, length / 2);
                break;
            case Fault.ClientsDelayed:
                await DelayThrough(replica.Proxy, random, length);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault, "not of DBOS");
        }

        return new MadeFault(fault, replica.Server.Address, began, history.Now);
    }

    /// <summary>One node at a time: two that fail together are more than a cluster with one replica of each master bears.</summary>
    private async Task<MadeFault> MakeOfRedis(Fault fault, Random random)
    {
        var began = history.Now;
        var masters = await backing.Masters();
        var victim = masters[random.Next(masters.Count)];
        var proxy = backing.ProxyOf(victim);
        var length = Seconds(random, 0.5, 5);
        switch (fault)
        {
            case Fault.MasterKilled:
                // As a machine dies: what was under way from it, to its follower too, is lost. Then it is away for long
                // enough to be failed over, or back before.
                proxy.Delay = Seconds(random, 0, 0.3);
                await Task.Delay(length / 2);
                await victim.Kill();
                proxy.CutNow();
                proxy.Delay = TimeSpan.Zero;
                await Task.Delay(length);
                await Revive(victim.Start);
                break;
            case Fault.RedisPaused:
                victim = backing.Nodes[random.Next(backing.Nodes.Count)];
                victim.Pause();
                await Task.Delay(length);
                victim.Resume();
                break;
            case Fault.MasterFull:
                await victim.Ask("config", "set", "maxmemory", "1mb");
                await Task.Delay(length / 2);
                await victim.Ask("config", "set", "maxmemory", "0");
                break;
            case Fault.MasterDelayed:
                await DelayThrough(proxy, random, length);
                break;
            case Fault.MasterCutOff:
                await CutThrough(proxy, length / 2);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault, "not of Redis");
        }

        await backing.WaitUntilWell();
        var failedOver = masters.Contains(victim) && !(await backing.Masters()).Contains(victim);
        return new MadeFault(fault, victim.Address, began, history.Now, failedOver);
    }

    /// <summary>Its port may be taken for a while, by a connection of somebody else.</summary>
    private static async Task Revive(Func<Task> start) => await Eventually.True(
        async () =>
        {
            try
            {
                await start();
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        },
        RevivePatience,
        "what was killed is started again");

    private static async Task CutThrough(TcpProxy proxy, TimeSpan length)
    {
        for (var cut = TimeSpan.Zero; cut < length; cut += BetweenCuts)
        {
            proxy.CutNow();
            await Task.Delay(BetweenCuts);
        }
    }

    private static async Task DelayThrough(TcpProxy proxy, Random random, TimeSpan length)
    {
        proxy.Delay = Seconds(random, 0.05, 1);
        await Task.Delay(length);
        proxy.Delay = TimeSpan.Zero;
    }

    private static TimeSpan Seconds(Random random, double from, double to) => Between(random, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to));

    private static TimeSpan Between(Random random, TimeSpan from, TimeSpan to) => from + (random.NextDouble() * (to - from));
}
