using System.Globalization;
using Dbos.Application.Agents;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>
/// How many round trips and Redis commands each call takes, which is the same in every run. A call that grew fails here:
/// build/count-commands writes the table anew, and its change shows in the commit.
/// </summary>
[Collection(Undisturbed.Name)]
public sealed class CommandCountTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private const string Table = "Redis/command-counts.tsv";
    private const string WritesTable = "DBOS_WRITE_COMMAND_COUNTS";

    private static readonly OpenOptions Options = new()
    {
        Policy = OpenOptions.DefaultPolicy with { CompletedTaskRetention = TimeSpan.FromMilliseconds(1) },
    };

    private static readonly PageRequest FirstPage = new(0, string.Empty);

    /// <summary>Calls that <see cref="RedisWrite.All"/> does not have: reads, takes, large batches and repetitions.</summary>
    private static readonly Dictionary<string, (Func<OpenStore, Task> Before, Func<OpenStore, Task> Act)> Others = new()
    {
        ["heartbeat that changes nothing"] = (dbos => dbos.Send(Given.Heartbeat()), dbos => dbos.Send(Given.Heartbeat(total: 8))),
        ["result with an idempotency key"] = (RedisWrite.Nothing, dbos => dbos.Send(Given.Result(), "key")),
        ["result that is repeated"] = (dbos => dbos.Send(Given.Result()), dbos => dbos.Send(Given.Result())),
        ["schedule 100"] = (RedisWrite.Nothing, Schedule100),
        ["take 1"] = (RedisWrite.Scheduled, dbos => dbos.Send(Given.Due(limit: 1))),
        ["take 1 of nothing"] = (RedisWrite.Nothing, dbos => dbos.Send(Given.Due(limit: 1))),
        ["take 1 of an agent"] = (RedisWrite.Scheduled, dbos => dbos.Send(Given.Due(agentId: "a1", limit: 1))),
        ["take 100"] = (Schedule100, dbos => dbos.Send(Given.Due(limit: 100))),
        ["ack 100"] = (
            async dbos =>
            {
                await Schedule100(dbos);
                await dbos.Send(Given.Due(limit: 100));
            },
            dbos => dbos.Send(new AckTasks([.. Hundred.Select(id => new AckTask(id, LeaseToken: 0))]))),
        ["purge 100"] = (
            async dbos =>
            {
                await Schedule100(dbos);
                await Task.WhenAll(Hundred.Select(id => dbos.Send(new CancelTask(id, string.Empty))));
                await Task.Delay(20);
            },
            dbos => dbos.Get<ITaskRepository>().PurgeEnded(default)),
        ["get agent"] = (dbos => dbos.Send(Given.Heartbeat()), dbos => dbos.Send(new GetAgent("a1"))),
        ["list agents"] = (dbos => dbos.Send(Given.Heartbeat()), dbos => dbos.Send(new ListAgents(AgentFilter.All, FirstPage))),
        ["get state"] = (dbos => dbos.Send(Given.State()), dbos => dbos.Send(new GetModuleState("r1", string.Empty))),
        ["get result"] = (dbos => dbos.Send(Given.Result()), dbos => dbos.Send(new GetResult("a1", "r1"))),
        ["get task"] = (RedisWrite.Scheduled, dbos => dbos.Send(new GetTask("t1"))),
        ["list tasks"] = (RedisWrite.Scheduled, dbos => dbos.Send(new ListTasks("pending", TaskFilter.Any, FirstPage))),
        ["queue statistics"] = (RedisWrite.Scheduled, dbos => dbos.Send(new GetQueueStats())),
        ["probe"] = (RedisWrite.Nothing, dbos => dbos.Probe()),
    };

    private static string[] Hundred => [.. Enumerable.Range(0, 100).Select(number => string.Create(CultureInfo.InvariantCulture, $"t{number}"))];

    [Fact]
    public async Task No_call_takes_more_round_trips_or_commands_than_the_table_says()
    {
        var counted = new SortedDictionary<string, Count>(StringComparer.Ordinal);
        await using var monitor = await RedisMonitor.Start(engine.Server);
        var calls = RedisWrite.All.Select(write => (write.Key, write.Value.Before, Act: (Func<OpenStore, Task>)(dbos => write.Value.Act(dbos, null))))
            .Concat(Others.Select(other => (other.Key, other.Value.Before, other.Value.Act)));
        foreach (var (name, before, act) in calls)
        {
            // Once before, so that Redis knows the scripts.
            await Run(before, act);
            var (sent, called) = await Run(before, act, monitor);
            counted.Add(name, new Count(sent, called));
        }

        if (Environment.GetEnvironmentVariable(WritesTable) is { Length: > 0 } path)
        {
            await File.WriteAllLinesAsync(path, counted.Select(call => $"{call.Key}\t{call.Value.RoundTrips}\t{call.Value.Commands}"));
            return;
        }

        var table = (await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, Table)))
            .Select(line => line.Split('\t'))
            .ToDictionary(cells => cells[0], cells => new Count(Number(cells[1]), Number(cells[2])));
        counted.Keys.Should().BeEquivalentTo(table.Keys, "build/count-commands writes the table");
        counted.Where(call => call.Value.RoundTrips > table[call.Key].RoundTrips || call.Value.Commands > table[call.Key].Commands)
            .Select(call => $"{call.Key}: {call.Value}, not {table[call.Key]}")
            .Should().BeEmpty();
    }

    private async Task<(int Sent, int Called)> Run(Func<OpenStore, Task> before, Func<OpenStore, Task> act, RedisMonitor? monitor = null)
    {
        await using var dbos = await engine.Open(Options);
        await before(dbos);
        if (monitor is null)
        {
            await act(dbos);
            return default;
        }

        var (sent, called) = await monitor.During(() => act(dbos));
        // The client library sends commands of its own, and a counter's expiry is set once in ten seconds.
        return (
            sent.Count(line => line.Contains($"{{{dbos.Settings.KeyPrefix}:", StringComparison.Ordinal)),
            called.Count(line => !line.Contains("\"EXPIRE\"", StringComparison.Ordinal)));
    }

    private static async Task Schedule100(OpenStore dbos) => await dbos.Send(new ScheduleTasks([.. Hundred.Select(id => Given.Task(id))]));

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <param name="Commands">That scripts call.</param>
    private sealed record Count(int RoundTrips, int Commands);
}
