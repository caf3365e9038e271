using System.Security.Cryptography;
using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Api.Tests.BadInput;

public abstract class LargeMessageTests(Deployment dbos)
{
    private const int LargestResult = 4 * 1024 * 1024;

    [Fact]
    public async Task A_result_of_4_MiB_is_stored_and_read_back_whole()
    {
        var request = Requests.Result(Requests.NewId("request"), Requests.NewId("agent"));
        request.Result.Data = RandomBytes(LargestResult);

        (await dbos.Client.StoreResultAsync(request)).Error.Should().BeEmpty();

        var found = await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = request.Result.AgentId, RequestId = request.Result.Id });
        found.Result.Data.Equals(request.Result.Data).Should().BeTrue();
        var list = await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = request.Result.AgentId });
        list.Results.Should().ContainSingle("a record larger than a reply still comes, alone").Which.Data.Length.Should().Be(LargestResult);
    }

    [Fact]
    public async Task A_task_with_a_payload_of_4_MiB_is_delivered_whole()
    {
        var agent = Requests.NewId("agent");
        var request = new ScheduleTaskRequest { Task = Requests.Task(Requests.NewId("task"), agent) };
        request.Task.Payload = RandomBytes(LargestResult);

        (await dbos.Client.ScheduleTaskAsync(request)).Error.Should().BeEmpty();

        var taken = (await dbos.Client.Take(agent)).Should().ContainSingle().Which;
        taken.Payload.Equals(request.Task.Payload).Should().BeTrue();
        (await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = taken.Id, LeaseToken = taken.LeaseToken })).Success.Should().BeTrue();
    }

    [Fact]
    public async Task A_message_far_too_large_to_read_is_a_status_and_DBOS_lives_on()
    {
        var request = Requests.Result(Requests.NewId("request"));
        request.Result.Data = RandomBytes(4 * LargestResult);

        var failure = await FluentActions.Awaiting(() => dbos.Client.StoreResultAsync(request).ResponseAsync).Should().ThrowAsync<RpcException>();

        failure.Which.StatusCode.Should().Be(StatusCode.ResourceExhausted);
        (await dbos.Client.StoreResultAsync(Requests.Result(request.Result.Id))).Duplicate.Should().BeFalse("nothing was stored");
    }

    private static ByteString RandomBytes(int count) => UnsafeByteOperations.UnsafeWrap(RandomNumberGenerator.GetBytes(count));
}

[Collection(SharedRedis.Name)]
public sealed class LargeMessagesOnRedis(SharedRedis dbos) : LargeMessageTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class LargeMessagesOnCluster(SharedCluster shared) : LargeMessageTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class LargeMessagesOnEmbedded(SharedEmbedded dbos) : LargeMessageTests(dbos);
