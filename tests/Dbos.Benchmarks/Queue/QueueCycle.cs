namespace Dbos.Benchmarks.Queue;

/// <summary>
/// Tasks a second through DBOS's queue beside BullMQ, NATS JetStream and another server, in turns: into the queue, and out
/// of it. The ratios are of two rates of one round.
/// </summary>
internal sealed class QueueCycle
{
    private readonly QueueLoad load;

    private QueueCycle(Options options, QueueLoad load) => (this.load, IsShort) = (load, options.Short);

    public bool IsShort { get; }

    public required QueueTurns Dbos { get; init; }

    /// <summary>Null: its row is left out of the short form.</summary>
    public QueueTurns? Embedded { get; init; }

    /// <summary>The server that <c>--beside</c> names; null: none, or it does not implement the calls.</summary>
    public QueueTurns? Other { get; init; }

    /// <inheritdoc cref="Other"/>
    public QueueTurns? OtherEmbedded { get; init; }

    /// <summary>Null: not available.</summary>
    public BullMq? BullMq { get; init; }

    /// <summary>Null: not available, or left out of the short form.</summary>
    public Nats? Nats { get; init; }

    public static async Task<Figures> Run(Options options, Report report)
    {
        var load = QueueLoad.Of(options);
        await using var servers = new Servers(options);
        var redis = await servers.Redis();
        var cycle = new QueueCycle(options, load)
        {
            Dbos = servers.Add(await QueueTurns.Of("DBOS", await servers.OnRedis(redis), redis, load))
                ?? throw new InvalidOperationException("DBOS does not process tasks."),
            BullMq = servers.Add(await BullMq.Start(redis, load, report)),
            Nats = options.Short ? null : servers.Add(await Nats.Start(load, report)),
            Embedded = options.Short ? null : await OfEmbedded("DBOS embedded"),
            Other = options.Beside is null ? null : await OfOther(),
            OtherEmbedded = options.Beside is null ? null : await OfEmbedded("Other embedded", options.Beside),
        };
        await cycle.Measure();
        await cycle.Print(report);
        return new Figures(QueueTargets.Of(cycle)) { Costs = options.Short ? QueueTargets.CostsOf(cycle) : [] };

        async Task<QueueTurns?> OfEmbedded(string name, string? assembly = null) =>
            servers.Add(await QueueTurns.Of(name, await servers.Embedded(assembly), redis: null, load));

        // On a Redis of its own: both may use the same keys.
        async Task<QueueTurns?> OfOther()
        {
            var itsRedis = await servers.Redis();
            return servers.Add(await QueueTurns.Of("Other", await servers.OnRedis(itsRedis, options.Beside), itsRedis, load));
        }
    }

    private async Task Measure()
    {
        // A turn that takes tasks follows the one that adds them.
        Turn?[] round =
        [
            BullMq?.Add, BullMq?.Keep, Dbos.Schedule, Dbos.Singly, Other?.Schedule, Other?.Singly,
            BullMq?.AddBulk, BullMq?.Remove, Dbos.ScheduleBatches, Dbos.Batches, Other?.ScheduleBatches, Other?.Batches,
            Nats?.Publish, Nats?.Fetch, Embedded?.ScheduleBatches, Embedded?.Batches, OtherEmbedded?.ScheduleBatches, OtherEmbedded?.Batches,
            .. IsShort ? Array.Empty<Turn?>() : [Dbos.Stream, Other?.Stream, Dbos.OneByOne, Other?.OneByOne],
        ];
        for (var i = 0; i < load.WarmUpRounds + load.Rounds; i++)
        {
            foreach (var turn in round.OfType<Turn>())
            {
                await turn.Take(counts: i >= load.WarmUpRounds);
            }
        }
    }

    private async Task Print(Report report)
    {
        string[] versions =
        [
            .. BullMq is null ? Array.Empty<string>() : [await BullMq.Version()],
            .. Nats is null ? Array.Empty<string>() : [await Nats.Version()],
        ];
        report.Say($"{QueueLoad.Payload.Length} bytes of payload, {QueueLoad.Agents} agents; {string.Join("; ", versions)}. Medians of {load.Rounds} rounds of {load.Tasks} tasks each, in turns; the store is Redis or nats-server.");
        Turn?[] adding = [BullMq?.Add, Dbos.Schedule, Other?.Schedule, BullMq?.AddBulk, Dbos.ScheduleBatches, Other?.ScheduleBatches, Nats?.Publish, Embedded?.ScheduleBatches, OtherEmbedded?.ScheduleBatches];
        Turn?[] taking =
        [
            BullMq?.Keep, BullMq?.Remove, Nats?.Fetch, Dbos.Batches, Other?.Batches, Embedded?.Batches, OtherEmbedded?.Batches,
            Dbos.Singly, Other?.Singly, .. IsShort ? Array.Empty<Turn?>() : [Dbos.Stream, Other?.Stream, Dbos.OneByOne, Other?.OneByOne],
        ];
        report.Print(Speeds("into the queue", adding));
        report.Print(Speeds("out of the queue, acknowledged", taking));
    }

    private static Table Speeds(string title, IEnumerable<Turn?> turns)
    {
        var table = new Table(title, "tasks/s", "store µs/task", "own µs/task");
        foreach (var turn in turns.OfType<Turn>())
        {
            table.Add(turn.Name, $"{turn.Rate.Median:F0}", $"{turn.StoreMicroseconds:F1}", $"{turn.OwnMicroseconds:F1}");
        }

        return table;
    }
}
