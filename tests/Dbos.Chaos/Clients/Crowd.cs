using System.Globalization;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Clients;

/// <summary>The sixteen clients, each with its own connections: four report results, four states, three schedule, five take.</summary>
internal sealed class Crowd : IDisposable
{
    private const int Reporters = 4;
    private const int StateReporters = 4;
    private const int Schedulers = 3;
    private const int Pollers = 3;
    private const int Streamers = 2;

    /// <summary>Between two calls of a client; it keeps the load moderate.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(120);

    private readonly List<AnyReplica> connections = [];
    private readonly List<(IClient Client, Random Random)> clients = [];

    public Crowd(IReadOnlyList<string> addresses, History history, int seed)
    {
        Add(Reporters, "reporter", (name, recorder, random) => new Reporter(name, recorder, random));
        Add(StateReporters, "state-reporter", (name, recorder, random) => new StateReporter(name, recorder, random));
        Add(Schedulers, "scheduler", (name, recorder, random) => new Scheduler(name, recorder, random));
        Add(Pollers, "poller", (_, recorder, random) => new PollingTaker(recorder, random));
        Add(Streamers, "streamer", (_, recorder, random) => new StreamingTaker(recorder, random));

        void Add(int count, string kind, Func<string, Recorder, Random, IClient> create)
        {
            for (var i = 1; i <= count; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{i}");
                var number = clients.Count;

                // Half of them begin with either replica.
                var connection = new AnyReplica([.. addresses.Skip(number % addresses.Count), .. addresses.Take(number % addresses.Count)]);
                var random = new Random((seed * 100) + number);
                connections.Add(connection);
                clients.Add((create(name, new Recorder(name, connection, history), random), random));
            }
        }
    }

    /// <summary>Until it is told to stop, and until each call's outcome is known.</summary>
    public Task Run(CancellationToken stop) => Task.WhenAll(clients.Select(async one =>
    {
        while (await Pause.For(one.Random.NextDouble() * LongestRest, stop))
        {
            await one.Client.Act();
        }

        await one.Client.Settle();
    }));

    public void Dispose() => connections.ForEach(connection => connection.Dispose());
}
