using System.Globalization;
using Dbos.Benchmarks;
using Dbos.Benchmarks.Network;
using Dbos.Benchmarks.Queue;
using Dbos.Benchmarks.Writes;

// The same program is the bare server that DBOS is measured beside: --bare PORT REDIS.
if (args is ["--bare", var port, var redis])
{
    await BareServer.Run(int.Parse(port, CultureInfo.InvariantCulture), redis);
    return 0;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (ArgumentException wrong)
{
    Console.Error.WriteLine($"{wrong.Message}\n{Options.Usage}");
    return 2;
}

Console.WriteLine($"{Machine.Description()}\n");
var isMet = true;
foreach (var benchmark in options.Benchmarks)
{
    isMet &= await Run(benchmark);
}

Console.WriteLine(isMet ? "Every target is met." : "A target is missed or was not measured.");
return isMet ? 0 : 1;

async Task<bool> Run(string benchmark)
{
    var report = new Report(options.Short ? $"{benchmark}-short" : benchmark);
    report.Say($"Load average of the machine before the start: {Machine.Load()}.");
    var figures = await Measure(benchmark, report);
    var isGood = options.Short ? Compare(figures, report) : Judge(figures, report);
    if (options.Save is { } folder)
    {
        await report.Save(folder);
    }

    return isGood;
}

bool Judge(Figures figures, Report report)
{
    if (figures.Targets.Count > 0)
    {
        report.Print(Target.Tabulate(figures.Targets, options.Beside is { } file ? Path.GetFileNameWithoutExtension(file) : null));
    }

    return figures.Targets.All(target => target.IsMet);
}

// The short form is judged by processor time alone: its few rounds say little about rates.
bool Compare(Figures figures, Report report)
{
    report.Say("Rates, which the exit code of a short form leaves out:");
    Judge(figures, report);
    if (options.WriteBaseline)
    {
        Baseline.Write(figures.Costs);
    }

    var limits = Baseline.Limits(figures.Costs);
    report.Say("Processor time of DBOS and of Redis, as a ratio to what is measured beside them; the limits come from docs/results/baseline.json:");
    report.Print(Target.Tabulate(limits));
    return limits.All(limit => limit.IsMet);
}

Task<Figures> Measure(string benchmark, Report report) => benchmark switch
{
    "throughput" => Throughput.Run(options, report),
    "due-tasks" => DueTasks.Run(options, report),
    "queue" => QueueCycle.Run(options, report),
    "network" => NetworkLoad.Run(options, report),
    "memory" => Memory.Run(report),
    "costs" => Costs.Run(report),
    "tracing" => Tracing.Run(options, report),
    _ => throw new ArgumentException($"Unknown benchmark '{benchmark}'."),
};
