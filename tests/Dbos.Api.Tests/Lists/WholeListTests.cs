using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Lists;

public abstract class WholeListTests(Deployment dbos)
{
    private const int Agents = 800;
    private const int ConfigBytes = 5 * 1024;
    private const int MostBytesOfReply = 4 * 1024 * 1024;

    [Fact]
    public async Task A_list_too_large_for_a_reply_is_cut_says_so_and_paging_brings_the_rest()
    {
        var ids = Enumerable.Range(0, Agents).Select(_ => Requests.NewId("agent")).Order(StringComparer.Ordinal).ToArray();
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (id, cancellation) =>
        {
            var heartbeat = Requests.Heartbeat(id);
            heartbeat.Agent.Config["targets"] = new string('c', ConfigBytes);
            (await dbos.Client.RegisterAgentAsync(heartbeat, cancellationToken: cancellation)).Success.Should().BeTrue();
        });

        var first = await dbos.Client.ListAgentsAsync(new ListAgentsRequest());
        first.Code.Should().Be(ErrorCode.ListCut);
        first.Error.Should().Contain($"{first.Agents.Count}").And.Contain("next_page_token");
        first.NextPageToken.Should().NotBeEmpty();
        first.CalculateSize().Should().BeLessThan(MostBytesOfReply, "that is what a gRPC client takes by default");
        var rest = await dbos.Client.ListAgentsAsync(new ListAgentsRequest { PageToken = first.NextPageToken });

        (rest.Code, rest.Error, rest.NextPageToken).Should().Be((ErrorCode.None, string.Empty, string.Empty));
        first.Agents.Concat(rest.Agents).Select(agent => agent.Id).Should().Equal(ids);
        first.Agents.Concat(rest.Agents).Should().OnlyContain(agent => agent.Config["targets"].Length == ConfigBytes);
        (await PagesOf(150)).Select(page => page.Length).Should().Equal(150, 150, 150, 150, 150, 50);
        (await PagesOf(150)).SelectMany(page => page).Should().Equal(ids);
    }

    private async Task<List<string[]>> PagesOf(int size)
    {
        var pages = new List<string[]>();
        var token = string.Empty;
        do
        {
            var reply = await dbos.Client.ListAgentsAsync(new ListAgentsRequest { PageSize = size, PageToken = token });
            (reply.Code, reply.Error).Should().Be((ErrorCode.None, string.Empty));
            pages.Add([.. reply.Agents.Select(agent => agent.Id)]);
            token = reply.NextPageToken;
        }
        while (token.Length > 0);

        return pages;
    }
}

public sealed class WholeListsOnRedis(OneOnRedis dbos) : WholeListTests(dbos), IClassFixture<OneOnRedis>;

[Collection(SharedCluster.Name)]
public sealed class WholeListsOnCluster(OneOnCluster dbos) : WholeListTests(dbos), IClassFixture<OneOnCluster>;

public sealed class WholeListsOnEmbedded(OneEmbedded dbos) : WholeListTests(dbos), IClassFixture<OneEmbedded>;
