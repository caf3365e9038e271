using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

[Collection(nameof(TracedDbos))]
public sealed class PayloadTests(TracedDbos dbos)
{
    /// <summary>Is in all that callers send but ids.</summary>
    private readonly string marker = Guid.NewGuid().ToString("n");

    private string Logged => dbos.Deployment.Server.Process.Output;

    [Fact]
    public async Task What_callers_send_beside_ids_is_in_no_trace_and_no_log()
    {
        var id = Requests.NewId("id");
        await Write(id);
        await Refuse(id);
        await dbos.Deployment.Redis.MakeUnreadable(id);
        (await FluentActions.Awaiting(() => Register(id)).Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Internal);
        dbos.Deployment.Redis.Pause();
        (await FluentActions.Awaiting(() => Register(Requests.NewId("agent"))).Should().ThrowAsync<RpcException>())
            .Which.StatusCode.Should().Be(StatusCode.Unavailable);
        await Eventually.True(() => Logged.Contains("is away", StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the outage is told");
        dbos.Deployment.Redis.Resume();
        await dbos.Deployment.Server.WaitUntilAnswering(TimeSpan.FromSeconds(10));

        var last = new CallerSpan();
        await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = id, RequestId = id }, last.Metadata);
        await dbos.Receiver.Receive(span => span.TraceId == last.TraceId && span.Name == "dbos.DBOS/GetResult", "the last call");
        var exported = string.Concat(dbos.Receiver.Exports.Select(export => export.ToByteString().ToString(System.Text.Encoding.Latin1)));
        exported.Should().Contain(id, "ids are told").And.NotContain(marker);
        Logged.Should().Contain("RegisterAgent failed").And.NotContain(marker);
    }

    private async Task Write(string id)
    {
        await Register(id);
        await dbos.Client.SetModuleStateAsync(State(id, "running"));
        await dbos.Client.SetModuleStateAsync(State(id, "error"));
        await dbos.Client.StoreResultAsync(Requests.Result(id, id, marker));
        await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = id, RequestId = id });
        await dbos.Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Task(id) });
        var taken = (await dbos.Client.Take(id)).Single();
        await dbos.Client.NackTaskAsync(new NackTaskRequest { TaskId = taken.Id, LeaseToken = taken.LeaseToken, Reason = marker });
    }

    /// <summary>What differs, what comes in a wrong state, what is too large.</summary>
    private async Task Refuse(string id)
    {
        await dbos.Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = new WireTask(Task(id)) { Priority = 1 } });
        (await dbos.Client.SetModuleStateAsync(State(id, "created"))).Success.Should().BeFalse();
        var large = Requests.Result(id, id, string.Concat(Enumerable.Repeat(marker, 150_000)));
        (await dbos.Client.StoreResultAsync(large)).Code.Should().Be(ErrorCode.Validation);
    }

    private async System.Threading.Tasks.Task Register(string id)
    {
        var request = Requests.Heartbeat(id);
        request.Agent.Config["key"] = marker;
        await dbos.Client.RegisterAgentAsync(request);
    }

    private WireTask Task(string id) => new(Requests.Task(id, id)) { Payload = ByteString.CopyFromUtf8(marker) };

    private SetModuleStateRequest State(string id, string state)
    {
        var request = Requests.State(id, state, timestamp: 1_700_000_000 + state.Length);
        request.State.ErrorMessage = marker;
        request.State.Details["key"] = marker;
        return request;
    }
}
