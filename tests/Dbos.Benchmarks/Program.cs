using Dbos.Benchmarks;

// dotnet run -c Release --project tests/Dbos.Benchmarks
// The same program is the bare server that DBOS is measured beside: --bare PORT REDIS.
if (args is ["--bare", var port, var redis])
{
    await BareServer.Run(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), redis);
    return 0;
}

var chosen = args.Length == 0 ? ["throughput", "due-tasks", "queue", "costs", "tracing"] : args;
Console.WriteLine(Machine.Description());
var met = true;
foreach (var benchmark in chosen)
{
    met &= benchmark switch
    {
        "throughput" => await Throughput.Run(),
        "due-tasks" => await DueTasks.Run(),
        "queue" => await QueueCycle.Run(),
        "costs" => await Costs.Run(),
        "tracing" => await Tracing.Run(),
        _ => throw new ArgumentException($"no benchmark '{benchmark}': throughput, due-tasks, queue, costs, tracing"),
    };
}

Console.WriteLine(met ? "every target is met" : "a target is missed or not measured");
return met ? 0 : 1;
