using System.Globalization;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Tasks;

/// <summary>However many dead letters there are, a call is answered in time, and the next one goes on.</summary>
public sealed class RequeueDeadlineTests(ITestOutputHelper output)
{
    private const int Dead = 2_000;
    private const int MostLate = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A slice takes several round trips: all of them take longer than the deadline.</summary>
    private static readonly TimeSpan EachWay = TimeSpan.FromMilliseconds(50);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_deadline_is_kept_and_the_reply_says_how_many_are_left()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        await LetThemDie(dbos.Client);
        await using var farOff = new TcpProxy(dbos.Redis.Port) { Delay = EachWay };
        await using var slow = await DbosServer.Start(new Dictionary<string, string>(dbos.Settings) { ["REDIS_ADDR"] = Patient.To(farOff.Address) });
        var deadline = TimeSpan.FromSeconds(3);
        var answered = new List<RequeueDeadLetterTasksResponse>();
        var late = 0;
        while (answered is not [.., { Left: 0 }])
        {
            try
            {
                var reply = await slow.Client.RequeueDeadLetterTasksAsync(
                    new RequeueDeadLetterTasksRequest { AgentId = agent }, deadline: DateTime.UtcNow + deadline);
                (reply.Success, reply.MoreMayBeLeft).Should().Be((true, false));
                (await DeadLetters(dbos.Client)).Should().Be((int)reply.Left);
                answered.Add(reply);
            }
            catch (RpcException end) when (end.StatusCode == StatusCode.DeadlineExceeded && ++late <= MostLate)
            {
                // The machine is busy with other tests.
            }
        }

        output.WriteLine(string.Join(", ", answered.Select(reply => string.Create(CultureInfo.InvariantCulture, $"{reply.Requeued} ({reply.Left} left)"))));
        answered.Should().Contain(reply => reply.Left > 0 && reply.Requeued >= 100);
        (await dbos.Client.TasksOf(agent, "pending")).Should().HaveCount(Dead).And.OnlyContain(task => task.RetryCount == 0);
    }

    /// <summary>Each lets its lease expire once more than it may.</summary>
    private async Task LetThemDie(DBOS.DBOSClient client)
    {
        foreach (var some in Enumerable.Range(0, Dead).Chunk(1_000))
        {
            await client.Schedule([.. some.Select(_ =>
            {
                var task = Requests.Task(Requests.NewId("task"), agent);
                task.MaxExpiries = 1;
                return task;
            })]);
        }

        var taken = 0;
        await Eventually.True(
            async () =>
            {
                taken += (await client.Take(agent, leaseSeconds: 1)).Count;
                return taken >= 2 * Dead && await DeadLetters(client) == Dead;
            },
            Patience,
            "all have died");
    }

    private async Task<int> DeadLetters(DBOS.DBOSClient client) =>
        (await client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest { AgentId = agent })).Tasks.Count;
}
