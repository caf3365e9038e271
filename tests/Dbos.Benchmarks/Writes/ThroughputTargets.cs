namespace Dbos.Benchmarks.Writes;

/// <summary>What the writes must reach, and what the short form compares with its baseline.</summary>
internal static class ThroughputTargets
{
    /// <param name="measured">By write and server; what a server does not implement is missing.</param>
    /// <param name="bare">Name of the bare server.</param>
    public static Figures Of(IReadOnlyDictionary<(string Write, string Side), SideRounds> measured, string bare)
    {
        Target[] targets =
        [
            BesideBare(Write.StoreResult, 0.85),
            BesideBare(Write.ScheduleTask, 0.70),
            BesideBare(Write.SetModuleState, 0.70),
            Own(Write.StoreResult, 42),
            Own(Write.ScheduleTask, 42),
            .. measured.ContainsKey((Write.StoreResult.Name, "DBOS embedded"))
                ? new[] { Embedded(Write.StoreResult, 0.75), Embedded(Write.ScheduleTask, 0.75) }
                : [],
        ];
        CostRatio[] costs = [.. Costs(Write.StoreResult), .. Costs(Write.ScheduleTask), .. Costs(Write.SetModuleState)];
        return new Figures(targets) { Costs = costs };

        SideRounds? Find(Write write, string side) => measured.GetValueOrDefault((write.Name, side));

        double? Ratio(Write write, string side, string beside) =>
            Find(write, side) is { } mine && Find(write, beside) is { } its ? mine.RateTo(its) : null;

        Target BesideBare(Write write, double must) => Target.AtLeast(
            write.InSequence == 1 ? $"{write.Name} beside the bare handler" : $"{write.Name}, {write.InSequence} states of a request, beside the bare handler",
            Ratio(write, "DBOS", bare),
            must,
            Ratio(write, "Other", bare));

        Target Own(Write write, double must) =>
            Target.AtMost($"own µs of {write.Name}", Find(write, "DBOS")?.OwnMicroseconds, must, Find(write, "Other")?.OwnMicroseconds);

        Target Embedded(Write write, double must) => Target.AtLeast(
            $"{write.Name} on the embedded store beside the Redis engine",
            Ratio(write, "DBOS embedded", "DBOS"),
            must,
            Ratio(write, "Other embedded", "Other"));

        CostRatio[] Costs(Write write)
        {
            var (mine, its) = (Find(write, "DBOS"), Find(write, bare));
            return
            [
                new($"throughput: {write.Name} / bare handler, own", mine?.OwnMicroseconds / its?.OwnMicroseconds),
                new($"throughput: {write.Name} / bare handler, Redis", mine?.RedisMicroseconds / its?.RedisMicroseconds),
            ];
        }
    }
}
