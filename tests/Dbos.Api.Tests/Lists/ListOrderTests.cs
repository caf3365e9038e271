using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Lists;

public abstract class ListOrderTests(Deployment dbos)
{
    private const int Items = 10;

    [Fact]
    public async Task Results_come_latest_first_and_a_page_is_not_shifted_by_what_comes_meanwhile()
    {
        var agent = Requests.NewId("agent");
        var stored = new List<string>();
        for (var i = 0; i < Items; i++)
        {
            stored.Add(await Store(agent));
        }

        var first = await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = agent, PageSize = 4 });
        await Store(agent);
        var second = await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = agent, PageSize = 4, PageToken = first.NextPageToken });
        var third = await dbos.Client.ListResultsAsync(new ListResultsRequest { AgentId = agent, PageSize = 4, PageToken = second.NextPageToken });

        third.NextPageToken.Should().BeEmpty();
        first.Results.Concat(second.Results).Concat(third.Results).Select(result => result.Id)
            .Should().Equal(Enumerable.Reverse(stored));
    }

    [Fact]
    public async Task States_are_listed_of_a_module_of_an_agent_of_an_agent_of_a_module_and_of_all()
    {
        string[] agents = [Requests.NewId("agent"), Requests.NewId("agent")];
        string[] modules = [Requests.NewId("module"), Requests.NewId("module")];
        foreach (var (agent, module) in agents.SelectMany(agent => modules.Select(module => (agent, module))))
        {
            var report = Requests.State(Requests.NewId("request"));
            (report.State.AgentId, report.State.ModuleName) = (agent, module);
            await dbos.Client.SetModuleStateAsync(report);
            await NextMillisecond();
        }

        (await List(agents[0], modules[1])).Should().Equal((agents[0], modules[1]));
        (await List(agents[0], string.Empty)).Should().Equal((agents[0], modules[1]), (agents[0], modules[0]));
        (await List(string.Empty, modules[0])).Should().Equal((agents[1], modules[0]), (agents[0], modules[0]));
        (await List(string.Empty, string.Empty)).Take(2).Should().Equal((agents[1], modules[1]), (agents[1], modules[0]));
    }

    [Fact]
    public async Task Events_come_newest_first_with_ids_that_sort()
    {
        for (var i = 0; i < Items; i++)
        {
            await Store(Requests.NewId("agent"));
        }

        var told = await dbos.Client.ReadEvents(limit: Items);

        told.Should().HaveCount(Items);
        told.Select(each => each.Id).Should().BeInDescendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
    }

    /// <summary>Lists are ordered by milliseconds, and within one by id.</summary>
    private static Task NextMillisecond() => Task.Delay(2);

    private async Task<string> Store(string agent)
    {
        var id = Requests.NewId("request");
        (await dbos.Client.StoreResultAsync(Requests.Result(id, agent))).Success.Should().BeTrue();
        await NextMillisecond();
        return id;
    }

    private async Task<(string, string)[]> List(string agent, string module)
    {
        var reply = await dbos.Client.ListModuleStatesAsync(new ListModuleStatesRequest { AgentId = agent, ModuleName = module });
        return [.. reply.States.Select(state => (state.AgentId, state.ModuleName))];
    }
}

[Collection(SharedRedis.Name)]
public sealed class ListOrderOnRedis(SharedRedis dbos) : ListOrderTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class ListOrderOnCluster(SharedCluster shared) : ListOrderTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class ListOrderOnEmbedded(SharedEmbedded dbos) : ListOrderTests(dbos);
