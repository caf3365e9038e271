using System.Globalization;
using Google.Protobuf;

namespace Dbos.Soak;

internal static class Scheduler
{
    private const int BatchSize = 1_000;
    private const int Agents = 20;
    private const int Priorities = 3;

    public static readonly string[] Modules = ["ping", "traceroute", "echo"];

    /// <summary>In batches, each sent again until it is answered.</summary>
    public static async Task Schedule(AnyReplica replicas, int tasks, TimeSpan dueWithin)
    {
        foreach (var batch in Enumerable.Range(0, tasks).Chunk(BatchSize))
        {
            var request = new ScheduleTasksRequest { Tasks = { batch.Select(number => NewTask(number, dueWithin)) } };
            var reply = await replicas.Ask((client, options) => client.ScheduleTasksAsync(request, options));
            if (!reply.Success || reply.Answers.Any(answer => !answer.Success))
            {
                throw new InvalidOperationException($"a batch was refused: {reply}");
            }
        }
    }

    public static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"soak-{number}");

    private static WireTask NewTask(int number, TimeSpan dueWithin) => new()
    {
        Id = IdOf(number),
        AgentId = $"agent-{number % Agents}",
        ModuleName = Modules[number % Modules.Length],
        Payload = ByteString.CopyFromUtf8("""{"target":"192.0.2.17"}"""),
        ScheduledAt = number % 2 == 0
            ? 0
            : DateTimeOffset.UtcNow.AddSeconds(Random.Shared.NextDouble() * dueWithin.TotalSeconds).ToUnixTimeSeconds(),
        Priority = number % Priorities,
    };
}
