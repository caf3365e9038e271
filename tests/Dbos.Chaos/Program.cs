using System.Globalization;
using Dbos.Chaos;

// dotnet run -c Release --project tests/Dbos.Chaos -- [minutes=5] [seed=SEED] [store=single] [durability=local] [history=FILE]
var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(option => option[0], option => option[^1]);
if (options.Keys.Except(["minutes", "seed", "store", "durability", "history"]).Any())
{
    await Console.Error.WriteLineAsync("usage: Dbos.Chaos [minutes=5] [seed=SEED] [store=single] [durability=local] [history=FILE]");
    return 2;
}

var plan = new ChaosPlan(
    TimeSpan.FromMinutes(double.Parse(options.GetValueOrDefault("minutes", "5"), CultureInfo.InvariantCulture)),
    options.TryGetValue("seed", out var seed) ? int.Parse(seed, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000),
    Single: options.GetValueOrDefault("store") == "single",
    options.GetValueOrDefault("durability", options.ContainsKey("store") ? "local" : "replicated"),
    options.GetValueOrDefault("history"));
Console.WriteLine($"seed {plan.Seed}");

var report = await ChaosRun.Of(plan);
Console.WriteLine(report);
return report.Violations.Count == 0 ? 0 : 1;
