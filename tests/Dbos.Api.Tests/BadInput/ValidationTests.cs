using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.BadInput;

public abstract class ValidationTests(Deployment dbos)
{
    private const int LongestSentence = 250;

    public static TheoryData<string> Names => [.. BadCalls.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_bad_field_is_refused_in_one_sentence_and_not_stored(string name)
    {
        var bad = BadCalls.ByName[name];

        var refusal = await bad.Send(dbos.Client);

        refusal.Accepted.Should().BeFalse();
        refusal.Code.Should().Be(ErrorCode.Validation);
        refusal.Error.Should().StartWith($"{bad.Field} must be ").And.Contain(", but is ").And.NotContainAny("\n", "\u0007", "Exception");
        refusal.Error.Length.Should().BeLessThan(LongestSentence, "the value is cut short");
        if (bad.EventType.Length > 0)
        {
            var logged = (await dbos.Client.ReadEvents(limit: 1)).Single();
            (logged.Type, logged.Message, logged["code"]).Should().Be((bad.EventType, refusal.Error, "Validation"));
        }

        await NothingShouldBeStored();
    }

    [Fact]
    public async Task A_bad_idempotency_key_is_refused_by_its_name()
    {
        var metadata = new Metadata { { "idempotency-key", new string('k', 257) } };

        var reply = await dbos.Client.StoreResultAsync(Requests.Result("request-1"), metadata);

        (reply.Success, reply.Code).Should().Be((false, ErrorCode.Validation));
        reply.Error.Should().StartWith("idempotency-key must be ");
        await NothingShouldBeStored();
    }

    [Fact]
    public async Task A_requeue_names_ids_or_a_filter_or_all_and_only_one_of_them()
    {
        RequeueDeadLetterTasksRequest[] requests =
        [
            new(),
            new() { TaskIds = { "task-1" }, All = true },
            new() { TaskIds = { "task-1" }, AgentId = Requests.Agent },
            new() { ModuleName = Requests.Module, All = true },
        ];
        foreach (var request in requests)
        {
            var reply = await dbos.Client.RequeueDeadLetterTasksAsync(request);

            (reply.Success, reply.Code, reply.Requeued).Should().Be((false, ErrorCode.Validation, 0));
            reply.Error.Should().StartWith("exactly one of task_ids");
        }
    }

    private async Task NothingShouldBeStored()
    {
        (await dbos.Client.ListAgentsAsync(new ListAgentsRequest())).Agents.Should().BeEmpty();
        (await dbos.Client.ListModuleStatesAsync(new ListModuleStatesRequest())).States.Should().BeEmpty();
        (await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = Requests.Agent })).Results.Should().BeEmpty();
        (await dbos.Client.ListTasksAsync(new ListTasksRequest())).Tasks.Should().BeEmpty();
    }
}

public sealed class ValidationOnRedis(OneOnRedis dbos) : ValidationTests(dbos), IClassFixture<OneOnRedis>;

[Collection(SharedCluster.Name)]
public sealed class ValidationOnCluster(OneOnCluster dbos) : ValidationTests(dbos), IClassFixture<OneOnCluster>;

public sealed class ValidationOnEmbedded(OneEmbedded dbos) : ValidationTests(dbos), IClassFixture<OneEmbedded>;
