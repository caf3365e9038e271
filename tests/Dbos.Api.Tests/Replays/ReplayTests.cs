using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Api.Tests.Replays;

public abstract class ReplayTests(Deployment dbos)
{
    private const string Key = "idempotency-key";

    [Fact]
    public async Task A_key_that_the_caller_names_makes_a_heartbeat_the_same_heartbeat()
    {
        var request = Requests.Heartbeat(Requests.NewId("agent"));
        var metadata = new Metadata { { Key, Requests.NewId("key") } };

        var first = await dbos.Client.RegisterAgentAsync(request, metadata);
        var second = await dbos.Client.RegisterAgentAsync(request, metadata);
        var keyless = await dbos.Client.RegisterAgentAsync(request);

        (first.Success, first.Duplicate).Should().Be((true, false));
        (second.Success, second.Duplicate).Should().Be((true, true));
        (keyless.Success, keyless.Duplicate).Should().Be((true, false));
    }

    [Fact]
    public async Task A_key_that_is_used_for_other_content_is_refused_and_nothing_is_written()
    {
        var id = Requests.NewId("request");
        var metadata = new Metadata { { Key, Requests.NewId("key") } };
        await dbos.Client.SetModuleStateAsync(Requests.State(id, "running"), metadata);

        var reply = await dbos.Client.SetModuleStateAsync(Requests.State(id, "completed"), metadata);

        (reply.Success, reply.Code, reply.Duplicate).Should().Be((false, ErrorCode.IdempotencyKeyReused, false));
        reply.Error.Should().Contain(metadata.GetValue(Key));
        var stored = (await dbos.Client.GetModuleStateAsync(new GetModuleStateRequest { RequestId = id })).State;
        (stored.State, stored.Version).Should().Be(("running", 1));
    }

    [Fact]
    public async Task A_result_sent_again_with_other_content_keeps_the_first_and_the_log_tells()
    {
        var id = Requests.NewId("request");
        await dbos.Client.StoreResultAsync(Requests.Result(id, data: "first"));

        var same = await dbos.Client.StoreResultAsync(Requests.Result(id, data: "first"));
        (await dbos.Client.ReadEvents("replay_differed", "request_id", id)).Should().BeEmpty();
        var other = await dbos.Client.StoreResultAsync(Requests.Result(id, data: "second"));

        (same.Success, same.Duplicate, same.Error).Should().Be((true, true, string.Empty));
        (same.ContentDiffers, other.Success, other.Duplicate, other.ContentDiffers).Should().Be((false, true, true, true));
        other.Error.Should().Be($"result '{id}' of agent '{Requests.Agent}' was stored before with other data, which are kept");
        var stored = await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = Requests.Agent, RequestId = id });
        stored.Result.Data.ToStringUtf8().Should().Be("first");
        (await dbos.Client.ReadEvents("replay_differed", "request_id", id)).Should().ContainSingle();
        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_nack_sent_again_with_its_token_counts_once()
    {
        var task = await TakeNew();
        var nack = new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, RetryDelaySeconds = 3_600, Reason = "no route" };

        var first = await dbos.Client.NackTaskAsync(nack);
        var second = await dbos.Client.NackTaskAsync(nack);

        (first.Success, first.Duplicate).Should().Be((true, false));
        (second.Success, second.Duplicate).Should().Be((true, true));
        var stored = (await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = task.Id })).Task;
        (stored.Status, stored.RetryCount, stored.LastError).Should().Be(("pending", 1, "no route"));
        (await dbos.Client.ReadEvents("task_nacked", "task_id", task.Id)).Should().ContainSingle();
    }

    [Fact]
    public async Task An_ack_sent_again_is_a_replay_and_a_nack_after_it_is_refused()
    {
        var task = await TakeNew();
        var ack = new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken };

        (await dbos.Client.AckTaskAsync(ack)).Duplicate.Should().BeFalse();
        var again = await dbos.Client.AckTaskAsync(ack);
        var nack = await dbos.Client.NackTaskAsync(new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken });
        var stale = await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken + 1 });

        (again.Success, again.Duplicate).Should().Be((true, true));
        (nack.Success, nack.Code).Should().Be((false, ErrorCode.InvalidTransition));
        (stale.Success, stale.Code).Should().Be((false, ErrorCode.LeaseLost));
    }

    [Fact]
    public async Task A_state_sent_again_is_a_replay_as_long_as_the_request_is_in_it_and_then_an_invalid_transition()
    {
        var id = Requests.NewId("request");
        await dbos.Client.SetModuleStateAsync(Requests.State(id, "running"));
        var replay = await dbos.Client.SetModuleStateAsync(Requests.State(id, "running"));
        var timeless = await dbos.Client.SetModuleStateAsync(Requests.State(id, "running", timestamp: 0));
        await dbos.Client.SetModuleStateAsync(Requests.State(id, "completed"));

        var earlier = await dbos.Client.SetModuleStateAsync(Requests.State(id, "running"));

        (replay.Success, replay.Duplicate, replay.Version).Should().Be((true, true, 1));
        (timeless.Success, timeless.Duplicate, timeless.Version).Should().Be((true, true, 1));
        (earlier.Success, earlier.Duplicate, earlier.Code).Should().Be((false, false, ErrorCode.InvalidTransition));
        (await dbos.Client.ReadEvents("module_state_updated", "request_id", id)).Should().HaveCount(2);
        (await dbos.Client.ReadEvents("module_state_error", "request_id", id)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_task_scheduled_again_is_one_task()
    {
        var request = Requests.Schedule(Requests.NewId("task"), scheduledAt: 4_000_000_000);
        await dbos.Client.ScheduleTaskAsync(request);
        var other = request.Clone();
        other.Task.Payload = ByteString.CopyFromUtf8("other");

        var same = await dbos.Client.ScheduleTaskAsync(request);
        var differing = await dbos.Client.ScheduleTaskAsync(other);

        var many = await dbos.Client.ScheduleTasksAsync(new ScheduleTasksRequest { Tasks = { request.Task, other.Task } });

        var kept = $"task '{request.Task.Id}' was scheduled before with other content, which is kept";
        foreach (var answer in (ScheduleTaskResponse[])[same, many.Answers[0]])
        {
            (answer.Success, answer.Duplicate, answer.ContentDiffers, answer.Error).Should().Be((true, true, false, string.Empty));
        }

        foreach (var answer in (ScheduleTaskResponse[])[differing, many.Answers[1]])
        {
            (answer.Success, answer.Duplicate, answer.ContentDiffers, answer.Error).Should().Be((true, true, true, kept));
        }

        var stored = (await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = request.Task.Id })).Task;
        stored.Payload.Should().Equal(request.Task.Payload);
        (await dbos.Client.ReadEvents("task_scheduled", "task_id", request.Task.Id)).Should().ContainSingle();
        (await dbos.Client.ReadEvents("replay_differed", "task_id", request.Task.Id)).Should().HaveCount(2, "one for each that differed");
    }

    private async Task<WireTask> TakeNew()
    {
        var agent = Requests.NewId("agent");
        await dbos.Client.ScheduleSome(agent);
        return (await dbos.Client.Take(agent)).Single();
    }
}

[Collection(SharedRedis.Name)]
public sealed class ReplaysOnRedis(SharedRedis dbos) : ReplayTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class ReplaysOnCluster(SharedCluster shared) : ReplayTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class ReplaysOnEmbedded(SharedEmbedded dbos) : ReplayTests(dbos);
