namespace Dbos.Benchmarks.Queue;

/// <summary>What the queue must reach, and what the short form compares with its baseline.</summary>
internal static class QueueTargets
{
    public static IReadOnlyList<Target> Of(QueueCycle cycle)
    {
        var (dbos, other, bull, nats) = (cycle.Dbos, cycle.Other, cycle.BullMq, cycle.Nats);
        var bullCycle = bull?.AddBulk.Rate.Then(bull.Worker.Rate);
        Target[] targets =
        [
            Beside("ListDueTasks(100), AckTasks beside BullMQ's Worker", turns => turns.Batches, bull?.Worker, 2.0),
            Beside("ListDueTasks(100), AckTasks beside NATS fetch(100), ackAck", turns => turns.Batches, nats?.Fetch, 1.5),
            Beside("ScheduleTasks by 100 beside addBulk", turns => turns.ScheduleBatches, bull?.AddBulk, 1.8),
            Beside("ScheduleTask, 64 in flight, beside add", turns => turns.Schedule, bull?.Add, 0.75),
            Beside("ListDueTasks(16), AckTask, 4 takers, beside BullMQ's Worker", turns => turns.Singly, bull?.Worker, 0.75),
            Beside("ListDueTasks(1), AckTask, 64 takers, beside BullMQ's Worker", turns => turns.OneByOne, bull?.Worker, 0.55),
            Beside("StreamDueTasks(64), AckTask beside BullMQ's Worker", turns => turns.Stream, bull?.Worker, 0.75),
            Target.AtMost("Redis µs of one task's life in batches", dbos.LifeStoreMicroseconds, 40, other?.LifeStoreMicroseconds),
            Target.AtMost("own µs of one task's life in batches", dbos.LifeOwnMicroseconds, 25, other?.LifeOwnMicroseconds),
            Target.AtLeast(
                "in and out in batches on the embedded store beside addBulk and BullMQ's Worker",
                Ratio(cycle.Embedded?.LifeInBatches, bullCycle),
                1.0,
                Ratio(cycle.OtherEmbedded?.LifeInBatches, bullCycle)),
        ];
        return cycle.IsShort ? [.. targets.Where(target => target.Value is not null)] : targets;

        Target Beside(string name, Func<QueueTurns, Turn?> turn, Turn? beside, double must) => Target.AtLeast(
            name, Ratio(turn(dbos)?.Rate, beside?.Rate), must, other is null ? null : Ratio(turn(other)?.Rate, beside?.Rate));
    }

    /// <summary>BullMQ's Worker with its default options is the divisor: the faster one may be another in each run.</summary>
    public static IReadOnlyList<CostRatio> CostsOf(QueueCycle cycle)
    {
        var (dbos, bull) = (cycle.Dbos, cycle.BullMq);
        return
        [
            .. Costs("ScheduleTask / add", dbos.Schedule, bull?.Add),
            .. Costs("ScheduleTasks / addBulk", dbos.ScheduleBatches, bull?.AddBulk),
            .. Costs("ListDueTasks(16), AckTask / Worker", dbos.Singly, bull?.Keep),
            .. Costs("ListDueTasks(100), AckTasks / Worker", dbos.Batches, bull?.Keep),
        ];
    }

    private static IEnumerable<CostRatio> Costs(string name, Turn turn, Turn? beside) =>
    [
        new($"queue: {name}, own", turn.OwnMicroseconds / beside?.OwnMicroseconds),
        new($"queue: {name}, Redis", turn.StoreMicroseconds / beside?.StoreMicroseconds),
    ];

    private static double? Ratio(Rate? rate, Rate? beside) => beside is null ? null : rate?.To(beside);
}
