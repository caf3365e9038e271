using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Races;

public abstract class ResultRaceTests(Deployment dbos)
{
    private const int Callers = 100;

    [Fact]
    public async Task Of_100_parallel_stores_of_one_result_one_stores_and_all_are_answered_success()
    {
        var id = Requests.NewId("request");

        var replies = await Task.WhenAll(
            dbos.Connect(Callers).Select(client => client.StoreResultAsync(Requests.Result(id)).ResponseAsync));

        replies.Should().OnlyContain(reply => reply.Success);
        replies.Count(reply => reply.Duplicate).Should().Be(Callers - 1);
        (await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = Requests.Agent }))
            .Results.Should().ContainSingle(result => result.Id == id);
        (await dbos.Client.ReadEvents("result_stored", "request_id", id)).Should().ContainSingle();
    }

    [Fact]
    public async Task One_result_id_from_two_agents_is_two_results()
    {
        var id = Requests.NewId("request");
        string[] agents = [Requests.NewId("agent"), Requests.NewId("agent")];

        var replies = await Task.WhenAll(dbos.Connect(2).Zip(
            agents, (client, agent) => client.StoreResultAsync(Requests.Result(id, agent, data: agent)).ResponseAsync));

        replies.Should().OnlyContain(reply => reply.Success && !reply.Duplicate);
        foreach (var agent in agents)
        {
            var reply = await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = agent, RequestId = id });
            reply.Result.Data.ToStringUtf8().Should().Be(agent);
        }

        (await dbos.Client.ReadEvents("result_stored", "request_id", id))
            .Select(told => told["agent_id"]).Should().BeEquivalentTo(agents);
    }
}

[Collection(SharedRedis.Name)]
public sealed class ResultRacesOnRedis(SharedRedis dbos) : ResultRaceTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class ResultRacesOnCluster(SharedCluster shared) : ResultRaceTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class ResultRacesOnEmbedded(SharedEmbedded dbos) : ResultRaceTests(dbos);
