using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

public sealed class TraceIdTests(OneEmbedded dbos) : IClassFixture<OneEmbedded>
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    private static Metadata TraceParent => new() { { "traceparent", $"00-{TraceId}-00f067aa0ba902b7-01" } };

    [Fact]
    public async Task The_events_of_a_call_carry_its_trace_id()
    {
        var id = Requests.NewId("request");

        await dbos.Client.StoreResultAsync(Requests.Result(id), TraceParent);

        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Single().TraceId.Should().Be(TraceId);
    }

    [Fact]
    public async Task The_event_of_a_refusal_carries_it_too()
    {
        var id = Requests.NewId("task");

        await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = id }, TraceParent);

        (await dbos.Client.ReadEvents("task_ack_error", "task_id", id)).Single().TraceId.Should().Be(TraceId);
    }

    [Fact]
    public async Task The_taking_of_tasks_carries_it_too()
    {
        var id = Requests.NewId("task");
        await dbos.Client.ScheduleTaskAsync(Requests.Schedule(id));

        await dbos.Client.ListDueTasksAsync(new ListDueTasksRequest(), TraceParent);

        var told = (await dbos.Client.ReadEvents()).Single(told => told.Type == "tasks_retrieved" && told["lease_tokens"].Contains(id, StringComparison.Ordinal));
        told.TraceId.Should().Be(TraceId);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("00-00000000000000000000000000000000-0000000000000000-00")]
    public async Task A_traceparent_that_is_none_does_no_harm(string traceParent)
    {
        var id = Requests.NewId("request");

        (await dbos.Client.StoreResultAsync(Requests.Result(id), new Metadata { { "traceparent", traceParent } })).Success.Should().BeTrue();

        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Single().TraceId.Should().NotContain("garbage");
    }
}
