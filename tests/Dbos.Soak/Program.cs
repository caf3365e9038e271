using Dbos.Soak;
using Dbos.Soak.Overload;
using Dbos.Soak.Takers;

// dotnet run -c Release --project tests/Dbos.Soak [-- brief | embedded | overload]
// The same program is each of the takers: --taker, and what TakerOrder.Arguments says.
switch (args)
{
    case ["--taker", .. var order]:
        await TakerProcess.Run(TakerOrder.Parse(order));
        return 0;
    case ["overload"]:
        var overload = await OverloadRun.Of(capacity: TimeSpan.FromSeconds(10), length: TimeSpan.FromMinutes(1));
        Console.WriteLine(overload);
        return overload.Faults.Count == 0 ? 0 : 1;
    case [] or ["brief"] or ["embedded"]:
        break;
    default:
        await Console.Error.WriteLineAsync("usage: Dbos.Soak [brief | embedded | overload]");
        return 2;
}

var report = await SoakRun.Of(args switch
{
    ["brief"] => SoakPlan.Brief(embedded: false),
    ["embedded"] => SoakPlan.Brief(embedded: true),
    _ => SoakPlan.Full,
});
Console.WriteLine(report);
return report.Faults.Count == 0 ? 0 : 1;
