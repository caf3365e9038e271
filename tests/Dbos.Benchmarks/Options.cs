using System.Globalization;

namespace Dbos.Benchmarks;

/// <summary>The command line.</summary>
internal sealed record Options
{
    public const string Usage = """
        Usage: dotnet run -c Release --project tests/Dbos.Benchmarks -- [BENCHMARK...] [OPTION...]
        Benchmarks: throughput, due-tasks, queue, network, memory, costs, tracing; all of them unless named.
          --short            queue and throughput in under two minutes; fails on costs far above docs/results/baseline.json
          --write-baseline   with --short: writes that file instead of comparing with it
          --beside FILE      assembly of another server of the same proto, measured in the same rounds by queue and throughput
          --save FOLDER      writes the tables as Markdown files, named by benchmark and date, into this folder
          --rounds N         measured rounds of queue, throughput and tracing
          --seconds N        measured time of network (default 30)
          --pending N        longest queue of due-tasks (default 1000000)
        """;

    private static readonly string[] All = ["throughput", "due-tasks", "queue", "network", "memory", "costs", "tracing"];
    private static readonly string[] InShort = ["throughput", "queue"];

    public IReadOnlyList<string> Benchmarks { get; private init; } = All;

    public bool Short { get; private init; }

    public bool WriteBaseline { get; private init; }

    public string? Beside { get; private init; }

    public string? Save { get; private init; }

    /// <summary>Null: the number that the benchmark chooses.</summary>
    public int? Rounds { get; private init; }

    public int Seconds { get; private init; } = 30;

    public int Pending { get; private init; } = 1_000_000;

    /// <exception cref="ArgumentException">Unknown or incomplete arguments.</exception>
    public static Options Parse(IEnumerable<string> arguments)
    {
        var options = new Options();
        var named = new List<string>();
        using var next = arguments.GetEnumerator();
        while (next.MoveNext())
        {
            var argument = next.Current;
            options = argument switch
            {
                "--short" => options with { Short = true },
                "--write-baseline" => options with { WriteBaseline = true },
                "--beside" => options with { Beside = Path.GetFullPath(Value()) },
                "--save" => options with { Save = Value() },
                "--rounds" => options with { Rounds = Number() },
                "--seconds" => options with { Seconds = Number() },
                "--pending" => options with { Pending = Number() },
                _ when All.Contains(argument) => Named(options, argument),
                _ => throw new ArgumentException($"Unknown argument '{argument}'."),
            };

            string Value() => next.MoveNext() ? next.Current : throw new ArgumentException($"{argument} needs a value.");
            int Number() => int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new ArgumentException($"{argument} needs a number above 0.");
        }

        if (options.Beside is { } file && !File.Exists(file))
        {
            throw new ArgumentException($"--beside: {file} does not exist.");
        }

        var chosen = named.Count > 0 ? [.. named] : options.Short ? InShort : All;
        return options switch
        {
            { Short: true } when chosen.Except(InShort).Any() => throw new ArgumentException("Only queue and throughput have a short form."),
            { Short: true, Beside: not null } => throw new ArgumentException("--beside does not go with --short."),
            { Short: false, WriteBaseline: true } => throw new ArgumentException("--write-baseline needs --short."),
            _ => options with { Benchmarks = chosen },
        };

        Options Named(Options unchanged, string benchmark)
        {
            named.Add(benchmark);
            return unchanged;
        }
    }
}
