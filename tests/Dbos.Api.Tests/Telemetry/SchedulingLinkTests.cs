using Dbos.Api.Tests.Support;
using Dbos.Testing.Otlp;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>From what becomes of a task there is a way back to the trace that scheduled it.</summary>
[Collection(nameof(TracedDbos))]
public sealed class SchedulingLinkTests(TracedDbos dbos)
{
    private readonly string agent = Requests.NewId("agent");
    private readonly CallerSpan scheduler = new();

    [Fact]
    public async Task Of_what_was_taken()
    {
        var id = await Schedule(scheduler);
        var unkept = await Schedule(new CallerSpan(IsSampled: false));
        var taker = new CallerSpan();

        var taken = await dbos.Client.ListDueTasksAsync(
            new ListDueTasksRequest { AgentId = agent }, taker.Metadata);

        taken.Tasks.Select(task => task.Id).Should().BeEquivalentTo([id, unkept]);
        var take = await dbos.Receiver.Receive(span => span.TraceId == taker.TraceId && span.Name == "ListDueTasks", "the taking");
        await ShouldLinkOnlyToTheScheduling(take.Links, id);
    }

    [Fact]
    public async Task Of_each_delivery_of_a_stream_in_a_trace_of_its_own()
    {
        var id = await Schedule(scheduler);
        var listener = new CallerSpan();
        using var stream = dbos.Client.StreamDueTasks(new StreamDueTasksRequest { AgentId = agent }, listener.Metadata);

        (await stream.Next()).Should().BeTrue();

        stream.ResponseStream.Current.Tasks.Select(task => task.Id).Should().Equal(id);
        var delivery = await dbos.Receiver.Receive(
            span => span.Name == "DeliverDueTasks" && span.Attributes["dbos.agent_id"] == agent, "the delivery, while the stream goes on");
        delivery.ParentId.Should().BeEmpty();
        delivery.Attributes.Should().Contain("dbos.count", "1");
        delivery.Links.Where(link => link.Attributes.Count == 0).Select(link => link.TraceId).Should().Equal(listener.TraceId);
        await ShouldLinkOnlyToTheScheduling(delivery.Links.Where(link => link.Attributes.Count > 0), id);
        await dbos.Receiver.Receive(span => span.ParentId == delivery.SpanId && span.Name == "EVALSHA take_tasks", "the delivery's script");
    }

    private async Task<string> Schedule(CallerSpan caller)
    {
        var id = Requests.NewId("task");
        await dbos.Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Requests.Task(id, agent) }, caller.Metadata);
        return id;
    }

    private async Task ShouldLinkOnlyToTheScheduling(IEnumerable<ExportedLink> links, string id)
    {
        var server = await dbos.Receiver.Receive(
            span => span.TraceId == scheduler.TraceId && span.Name == "dbos.DBOS/ScheduleTask", "the scheduling");
        var link = links.Should().ContainSingle().Subject;
        (link.TraceId, link.SpanId, link.Attributes["dbos.task_id"]).Should().Be((scheduler.TraceId, server.SpanId, id));
    }
}
