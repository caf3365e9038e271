using System.Globalization;
using Dbos.Soak;
using Dbos.Soak.Audit;
using Dbos.Soak.Overload;
using Dbos.Soak.Takers;

// dotnet run -c Release --project tests/Dbos.Soak [-- brief | embedded | overload | audit [TASKS]]
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
    case ["audit", .. var tasks]:
        var audit = await AuditRun.Of(tasks is [var some] ? int.Parse(some, CultureInfo.InvariantCulture) : 1_000_000, quiet: TimeSpan.FromSeconds(10));
        Console.WriteLine(audit);
        return audit.Faults.Count == 0 ? 0 : 1;
    case [] or ["brief"] or ["embedded"]:
        break;
    default:
        await Console.Error.WriteLineAsync("usage: Dbos.Soak [brief | embedded | overload | audit [TASKS]]");
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
