using System.Globalization;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Tasks;

/// <summary>However many dead letters there are, a call is answered in time, and the next one goes on.</summary>
public abstract class RequeueDeadlineTests(Deployment dbos, ITestOutputHelper output)
{
    private const int Dead = 3_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_short_deadline_is_kept_and_what_is_left_is_told()
    {
        await LetThemDie();
        var request = new RequeueDeadLetterTasksRequest { AgentId = agent };
        var deadline = TimeSpan.FromMilliseconds(200);
        var answered = new List<RequeueDeadLetterTasksResponse>();
        while (answered is not [.., { Left: 0 }])
        {
            try
            {
                var reply = await dbos.Client.RequeueDeadLetterTasksAsync(request, deadline: DateTime.UtcNow + deadline);
                (reply.Success, reply.MoreMayBeLeft).Should().Be((true, false));
                (await DeadLetters()).Should().Be((int)reply.Left);
                answered.Add(reply);
            }
            catch (RpcException late) when (late.StatusCode == StatusCode.DeadlineExceeded && deadline < TimeSpan.FromSeconds(5))
            {
                // Whatever a busy machine did to this one, the next has more time.
                deadline *= 2;
            }
        }

        output.WriteLine(string.Join(", ", answered.Select(reply => string.Create(CultureInfo.InvariantCulture, $"{reply.Requeued} ({reply.Left} left)"))));
        answered.Should().HaveCountGreaterThan(1, "one call has no time for all").And.OnlyContain(reply => reply.Requeued >= 100 || reply.Left == 0);
        (await dbos.Client.TasksOf(agent, "pending")).Should().HaveCount(Dead).And.OnlyContain(task => task.RetryCount == 0);
    }

    /// <summary>Each lets its lease expire once more than it may.</summary>
    private async Task LetThemDie()
    {
        foreach (var some in Enumerable.Range(0, Dead).Chunk(1_000))
        {
            await dbos.Client.Schedule([.. some.Select(_ =>
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
                taken += (await dbos.Client.Take(agent, leaseSeconds: 1)).Count;
                return taken >= 2 * Dead && await DeadLetters() == Dead;
            },
            Patience,
            "all have died");
    }

    private async Task<int> DeadLetters() =>
        (await dbos.Client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest { AgentId = agent })).Tasks.Count;
}

[Collection(SharedRedis.Name)]
public sealed class RequeueDeadlineOnRedis(SharedRedis dbos, ITestOutputHelper output) : RequeueDeadlineTests(dbos, output);

[Collection(SharedCluster.Name)]
public sealed class RequeueDeadlineOnCluster(SharedCluster shared, ITestOutputHelper output) : RequeueDeadlineTests(shared.Dbos, output);

[Collection(SharedEmbedded.Name)]
public sealed class RequeueDeadlineOnEmbedded(SharedEmbedded dbos, ITestOutputHelper output) : RequeueDeadlineTests(dbos, output);
