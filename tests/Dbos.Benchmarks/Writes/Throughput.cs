using System.Globalization;
using Dbos.Testing;

namespace Dbos.Benchmarks.Writes;

/// <summary>
/// Writes a second through DBOS on both engines and through another server, beside the bare server, in turns. The ratios
/// are of two rounds that follow each other: noise of the machine is in both.
/// </summary>
internal sealed class Throughput(int warmUpRounds, int rounds, int callsInRound)
{
    private const int InFlight = 128;

    private static readonly Write[] Writes = [Write.StoreResult, Write.ScheduleTask, Write.SetModuleState];

    public static async Task<Figures> Run(Options options, Report report)
    {
        var throughput = options.Short ? new Throughput(3, options.Rounds ?? 5, 4_000) : Full(options.Rounds ?? 25);
        await using var servers = new Servers(options);
        var redis = await servers.Redis();
        var bare = servers.Add(await Bare(servers, redis));
        var dbos = await servers.OnRedis(redis);
        List<Side> sides = [bare, servers.Add(new Side("DBOS", dbos.Port, dbos.Process, redis))];
        if (!options.Short)
        {
            var embedded = await servers.Embedded();
            sides.Add(servers.Add(new Side("DBOS embedded", embedded.Port, embedded.Process, redis: null)));
        }

        if (options.Beside is { } assembly)
        {
            // On a Redis of its own: both may use the same keys.
            var itsRedis = await servers.Redis();
            var other = await servers.OnRedis(itsRedis, assembly);
            sides.Add(servers.Add(new Side("Other", other.Port, other.Process, itsRedis)));
            var otherEmbedded = await servers.Embedded(assembly);
            sides.Add(servers.Add(new Side("Other embedded", otherEmbedded.Port, otherEmbedded.Process, redis: null)));
        }

        return await throughput.Compare(sides, report);
    }

    private static Throughput Full(int rounds) => new(Math.Min(15, rounds), rounds, 8_000);

    private static async Task<Side> Bare(Servers servers, RedisServer redis)
    {
        var port = FreePort.Find();
        var process = servers.Add(ChildProcess.Start(
            "dotnet",
            [typeof(Throughput).Assembly.Location, "--bare", port.ToString(CultureInfo.InvariantCulture), Patient.To(redis.Address)],
            servers.Environment));
        var bare = new Side("bare handler", port, process, redis);
        await Eventually.True(() => Write.ScheduleTask.IsAnswered(bare.Client(0)), TimeSpan.FromSeconds(60), "the bare server answers");
        return bare;
    }

    private async Task<Figures> Compare(List<Side> sides, Report report)
    {
        report.Say($"{InFlight} in flight, unique ids, tracing off; the bare handler runs one script of five commands. Medians of {rounds} rounds of {callsInRound} calls each, in turns.");
        var measured = await Measure(sides);
        var table = new Table("writes", "calls/s", "p50 ms", "p99 ms", "own µs/call", "Redis µs/call", "beside the bare handler");
        foreach (var write in Writes)
        {
            foreach (var side in sides)
            {
                if (measured.TryGetValue((write.Name, side.Name), out var its))
                {
                    its.AddTo(table, $"{write.Name} {side.Name}", measured[(write.Name, sides[0].Name)]);
                }
            }
        }

        report.Print(table);
        return ThroughputTargets.Of(measured, sides[0].Name);
    }

    /// <summary>Every round has all writes, so that what a server still compiles or allocates counts for none of them alone.</summary>
    /// <returns>By write and server; what a server does not implement is missing.</returns>
    private async Task<Dictionary<(string Write, string Side), SideRounds>> Measure(List<Side> sides)
    {
        var turns = new List<(Write Write, Side Side, SideRounds Rounds)>();
        foreach (var write in Writes)
        {
            foreach (var side in sides)
            {
                if (await write.IsAnswered(side.Client(0)))
                {
                    turns.Add((write, side, new SideRounds()));
                }
            }
        }

        for (var i = 0; i < warmUpRounds + rounds; i++)
        {
            foreach (var (write, side, its) in turns)
            {
                var round = await side.Measure(write, callsInRound, InFlight);
                if (i >= warmUpRounds)
                {
                    its.Add(round);
                }
            }
        }

        return turns.ToDictionary(turn => (turn.Write.Name, turn.Side.Name), turn => turn.Rounds);
    }
}
