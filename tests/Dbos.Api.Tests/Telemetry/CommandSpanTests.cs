using System.Globalization;
using Dbos.Api.Tests.Support;
using Dbos.Testing.Otlp;
using Grpc.Core;
using static Dbos.Testing.Otlp.Span.Types;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>One call's way, from the caller's span to Redis.</summary>
[Collection(nameof(TracedDbos))]
public sealed class CommandSpanTests(TracedDbos dbos)
{
    [Fact]
    public async Task The_callers_span_is_followed_by_those_of_server_command_and_script()
    {
        var caller = new CallerSpan();
        var id = Requests.NewId("request");

        await dbos.Client.StoreResultAsync(Requests.Result(id), caller.Metadata);

        var server = await Received(caller, "dbos.DBOS/StoreResult");
        (server.Kind, server.ParentId, server.IsError).Should().Be((SpanKind.Server, caller.SpanId, false));
        server.Attributes.Should().Contain("rpc.system.name", "grpc").And.Contain("rpc.method", "dbos.DBOS/StoreResult")
            .And.Contain("rpc.response.status_code", "OK");
        var command = await Received(caller, "StoreResult");
        (command.Kind, command.ParentId, command.IsError).Should().Be((SpanKind.Internal, server.SpanId, false));
        command.Attributes.Should().Equal(new Dictionary<string, string>
        {
            ["dbos.request_id"] = id,
            ["dbos.agent_id"] = Requests.Agent,
            ["dbos.outcome"] = "done",
        });
        var script = await Received(caller, "EVALSHA store_result");
        (script.Kind, script.ParentId, script.IsError).Should().Be((SpanKind.Client, command.SpanId, false));
        script.Attributes.Should().Contain("db.system.name", "redis").And.Contain("db.operation.name", "EVALSHA")
            .And.Contain("db.stored_procedure.name", "store_result").And.ContainKey("dbos.partition")
            .And.Contain("server.address", "127.0.0.1")
            .And.Contain("server.port", dbos.Deployment.Redis.Port.ToString(CultureInfo.InvariantCulture));
        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Single().TraceId.Should().Be(caller.TraceId);
    }

    [Fact]
    public async Task A_plain_command_has_a_span_too()
    {
        var caller = new CallerSpan();

        await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = "task-1" }, caller.Metadata);

        var query = await Received(caller, "GetTask");
        query.Attributes.Should().Contain("dbos.task_id", "task-1").And.Contain("dbos.outcome", "not_found");
        var read = await Received(caller, "HMGET");
        read.ParentId.Should().Be(query.SpanId);
        read.Attributes.Should().Contain("db.operation.name", "HMGET").And.NotContainKey("db.stored_procedure.name");
    }

    [Fact]
    public async Task A_refusal_and_a_replay_are_outcomes_and_no_errors()
    {
        var (first, again, wrong) = (new CallerSpan(), new CallerSpan(), new CallerSpan());
        var id = Requests.NewId("request");

        await dbos.Client.SetModuleStateAsync(Requests.State(id), first.Metadata);
        await dbos.Client.SetModuleStateAsync(Requests.State(id), again.Metadata);
        await dbos.Client.SetModuleStateAsync(Requests.State(id, "created", timestamp: 1_700_000_001), wrong.Metadata);

        (await OutcomeOf(first)).Should().Be(("done", false));
        (await OutcomeOf(again)).Should().Be(("duplicate", false));
        (await OutcomeOf(wrong)).Should().Be(("invalid_transition", false));

        async Task<(string, bool)> OutcomeOf(CallerSpan caller)
        {
            var command = await Received(caller, "SetModuleState");
            return (command.Attributes["dbos.outcome"], command.IsError);
        }
    }

    [Fact]
    public async Task A_fault_is_an_error_of_all_three()
    {
        var caller = new CallerSpan();
        var id = Requests.NewId("agent");
        await dbos.Client.RegisterAgentAsync(Requests.Heartbeat(id));
        await dbos.Deployment.Redis.MakeUnreadable(id);

        var get = () => dbos.Client.GetAgentAsync(new GetAgentRequest { AgentId = id }, caller.Metadata).ResponseAsync;

        (await get.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Internal);
        foreach (var (name, error) in new[]
        {
            ("HMGET", "StackExchange.Redis.RedisServerException"),
            ("GetAgent", "System.InvalidOperationException"),
            ("dbos.DBOS/GetAgent", "INTERNAL"),
        })
        {
            var span = await Received(caller, name);
            (span.IsError, span.Attributes.GetValueOrDefault("error.type")).Should().Be((true, error), name);
        }
    }

    [Fact]
    public async Task Health_is_not_traced()
    {
        var caller = new CallerSpan();

        await dbos.Deployment.Server.Health.CheckAsync(new Grpc.Health.V1.HealthCheckRequest(), caller.Metadata);
        await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest(), caller.Metadata);

        await Received(caller, "dbos.DBOS/GetQueueStats");
        dbos.Receiver.Spans.Should().NotContain(span => span.Name.Contains("health", StringComparison.OrdinalIgnoreCase));
    }

    private Task<ExportedSpan> Received(CallerSpan caller, string name) =>
        dbos.Receiver.Receive(span => span.TraceId == caller.TraceId && span.Name == name, name);
}
