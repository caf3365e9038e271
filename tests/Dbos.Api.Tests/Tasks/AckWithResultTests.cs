using Dbos.Api.Tests.Support;
using Google.Protobuf;

namespace Dbos.Api.Tests.Tasks;

/// <summary>A task that is acknowledged together with what was measured.</summary>
public abstract class AckWithResultTests(Deployment dbos)
{
    private const string Data = """{"rtt": 12.5}""";

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task Completion_result_and_state_are_one_call_and_its_repetition_a_duplicate()
    {
        var ack = Ack(await TakeNew());

        (await dbos.Client.AckTaskAsync(ack)).Should().Be(new AckTaskResponse { Success = true });
        (await dbos.Servers[^1].Client.AckTaskAsync(ack)).Should().Be(new AckTaskResponse { Success = true, Duplicate = true });

        (await dbos.Client.FindTask(ack.TaskId)).Status.Should().Be("completed");
        var result = (await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = agent, RequestId = ack.TaskId })).Result;
        (result.Id, result.Data.ToStringUtf8(), result.IngestSource).Should().Be((ack.TaskId, Data, "grpc"));
        var state = (await dbos.Client.GetModuleStateAsync(new GetModuleStateRequest { RequestId = ack.TaskId })).State;
        (state.AgentId, state.State, state.Version).Should().Be((agent, "completed", 1));
        var timeline = await dbos.Client.GetRequestTimelineAsync(new GetRequestTimelineRequest { RequestId = ack.TaskId });
        timeline.Entries.Select(entry => entry.Kind).Should().Equal(
            "task_scheduled", "tasks_retrieved", "result_stored", "module_state_updated", "task_acknowledged");
    }

    [Fact]
    public async Task A_refused_state_leaves_everything_as_it_is()
    {
        var held = await TakeNew();
        var failed = Requests.State(held.Id, "failed");
        failed.State.AgentId = agent;
        (await dbos.Client.SetModuleStateAsync(failed)).Success.Should().BeTrue();

        var refused = await dbos.Client.AckTaskAsync(Ack(held));

        (refused.Success, refused.Code).Should().Be((false, ErrorCode.InvalidTransition));
        refused.Error.Should().Contain("is failed, which is terminal");
        (await dbos.Client.FindTask(held.Id)).Status.Should().Be("inflight");
        (await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = agent, RequestId = held.Id })).Found.Should().BeFalse();
        (await dbos.Client.ReadEvents("task_ack_error", "task_id", held.Id)).Should().ContainSingle();
    }

    [Fact]
    public async Task Another_result_that_was_stored_before_is_kept_and_the_answer_says_so()
    {
        var held = await TakeNew();
        await dbos.Client.StoreResultAsync(Requests.Result(held.Id, agent, "first"));

        var reply = await dbos.Client.AckTasksAsync(new AckTasksRequest { Acks = { Ack(held) } });

        reply.Answers.Should().ContainSingle().Which.Should().Match<AckTaskResponse>(
            answer => answer.Success && !answer.Duplicate && answer.ContentDiffers && answer.Error.Contains("other data, which are kept"));
        (await dbos.Client.FindTask(held.Id)).Status.Should().Be("completed");
        (await dbos.Client.ReadEvents("replay_differed", "task_id", held.Id)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_task_that_was_completed_alone_is_no_duplicate_of_one_with_a_result()
    {
        var held = await TakeNew();
        await dbos.Client.Ack(held);

        var refused = await dbos.Client.AckTaskAsync(Ack(held));

        (refused.Success, refused.Duplicate, refused.Code).Should().Be((false, false, ErrorCode.InvalidTransition));
        refused.Error.Should().Contain("without this result");
    }

    [Fact]
    public async Task A_holder_asks_for_no_retry_or_gives_its_task_back()
    {
        var rejected = await TakeNew();
        var state = new ModuleState { ModuleName = Requests.Module, State = "error", ErrorMessage = "no such host" };
        var nack = new NackTaskRequest { TaskId = rejected.Id, LeaseToken = rejected.LeaseToken, Reason = "no such host", DeadLetter = true, State = state };
        (await dbos.Client.NackTaskAsync(nack)).Should().Be(new NackTaskResponse { Success = true });
        var dead = await dbos.Client.FindTask(rejected.Id);
        (dead.Status, dead.DeadLetterReason, dead.LastError, dead.FailureCount).Should().Be(("failed", "rejected", "no such host", 1));
        (await dbos.Client.GetModuleStateAsync(new GetModuleStateRequest { RequestId = dead.Id })).State.ErrorMessage.Should().Be("no such host");

        var released = await TakeNew();
        var release = new NackTaskRequest { TaskId = released.Id, LeaseToken = released.LeaseToken, Release = true };
        (await dbos.Client.NackTaskAsync(release)).Should().Be(new NackTaskResponse { Success = true });
        var again = (await dbos.Client.Take(agent)).Should().ContainSingle().Subject;
        (again.Id, again.FailureCount, again.DeliveryCount).Should().Be((released.Id, 0, 2));
    }

    private async Task<WireTask> TakeNew()
    {
        await dbos.Client.ScheduleSome(agent);
        return (await dbos.Client.Take(agent)).Should().ContainSingle().Subject;
    }

    private static AckTaskRequest Ack(WireTask held) => new()
    {
        TaskId = held.Id,
        LeaseToken = held.LeaseToken,
        Result = new MeasurementResult { Data = ByteString.CopyFromUtf8(Data) },
        State = new ModuleState { ModuleName = Requests.Module, State = "completed", Timestamp = 1_700_000_000 },
    };
}

[Collection(SharedRedis.Name)]
public sealed class AckWithResultOnRedis(SharedRedis dbos) : AckWithResultTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class AckWithResultOnCluster(SharedCluster shared) : AckWithResultTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class AckWithResultOnEmbedded(SharedEmbedded dbos) : AckWithResultTests(dbos);
