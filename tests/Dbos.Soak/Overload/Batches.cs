using System.Globalization;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Soak.Overload;

/// <summary>What DBOS is overloaded with: a batch costs it many times what it costs the caller, who shares its machine.</summary>
internal static class Batches
{
    public const int Tasks = 20;
    private const int PageSize = 1_000;
    private static readonly ByteString Payload = ByteString.CopyFrom(new byte[200]);

    /// <summary>True: every task is scheduled.</summary>
    public static async Task<bool> Schedule(DBOS.DBOSClient client, string agent, int number, CallOptions options)
    {
        var request = new ScheduleTasksRequest();
        request.Tasks.AddRange(Enumerable.Range(number * Tasks, Tasks).Select(task => new WireTask
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{agent}-{task}"),
            AgentId = agent,
            ModuleName = "ping",
            Payload = Payload,
            MaxRetries = 3,
        }));
        return (await client.ScheduleTasksAsync(request, options)).Answers.All(answer => answer.Success);
    }

    /// <summary>How many tasks of an agent there are.</summary>
    public static async Task<int> CountTasks(DBOS.DBOSClient client, string agent)
    {
        var request = new ListTasksRequest { AgentId = agent, PageSize = PageSize };
        var count = 0;
        do
        {
            var page = await client.ListTasksAsync(request);
            count += page.Tasks.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return count;
    }
}
