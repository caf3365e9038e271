using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.ModuleStates;

/// <summary>Lists of module states, and their export and import, on every engine.</summary>
public abstract class ModuleStateListContract(IEngine engine) : StoreTests(engine)
{
    private static readonly StateFilter Any = new();

    private static readonly StateFilter[] EveryFilter =
    [
        Any,
        new StateFilter("a:1"),
        new StateFilter("a:1", "m2"),
        new StateFilter("none", "m2"),
        new StateFilter(ModuleName: "m1"),
        new StateFilter(RequestId: "shared"),
        new StateFilter("a:1", RequestId: "shared"),
        new StateFilter(ModuleName: "m2", RequestId: "shared"),
        new StateFilter(State: RunState.Completed),
        new StateFilter("a:1", State: RunState.Completed),
        new StateFilter("a:1", "m2", State: RunState.Running),
        new StateFilter(ModuleName: "m1", State: RunState.Stopped),
        new StateFilter(RequestId: "shared", State: RunState.Completed),
    ];

    public static TheoryData<StateFilter> Filters => [.. EveryFilter];

    private IModuleStateRepository States => Dbos.Get<IModuleStateRepository>();

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_list_holds_what_its_filter_says_latest_accepted_first_in_pages_too(StateFilter filter)
    {
        var latest = await Fill();
        var expected = latest.Where(state =>
            (filter.AgentId.Length == 0 || filter.AgentId == state.Agent)
            && (filter.ModuleName.Length == 0 || filter.ModuleName == state.Module)
            && (filter.RequestId.Length == 0 || filter.RequestId == state.Request)
            && (filter.State is null || filter.State == state.State)).ToArray();

        (await Pages(filter, 0)).Should().Equal(expected);
        (await Pages(filter, 1)).Should().Equal(expected);
        (await Pages(filter, 4)).Should().Equal(expected);
    }

    [Fact]
    public async Task A_page_is_not_shifted_by_what_comes_meanwhile()
    {
        await Fill();
        var whole = (await States.List(Any, new PageRequest(0, string.Empty), None)).Items;

        var first = await States.List(Any, new PageRequest(5, string.Empty), None);
        await Dbos.Send(Given.State("later"));
        var rest = await States.List(Any, new PageRequest(0, first.NextToken), None);

        first.Items.Concat(rest.Items).Select(state => (state.RequestId, state.AgentId)).Should().Equal(whole.Select(state => (state.RequestId, state.AgentId)));
    }

    [Fact]
    public async Task A_filter_looks_at_a_bounded_number_for_one_page_and_says_where_to_go_on()
    {
        await Dbos.Send(Given.State("wanted", "completed"));
        await Dbos.SendAll(Enumerable.Range(0, ModuleStatePage.MostLookedAt).Select(number => Given.State($"r{number}")));

        var first = await States.List(new StateFilter(State: RunState.Completed), new PageRequest(10, string.Empty), None);
        var second = await States.List(new StateFilter(State: RunState.Completed), new PageRequest(10, first.NextToken), None);

        first.Items.Should().BeEmpty();
        first.NextToken.Should().NotBeEmpty();
        second.Items.Should().ContainSingle().Which.RequestId.Should().Be("wanted");
        second.NextToken.Should().BeEmpty();
    }

    [Fact]
    public async Task A_list_ends_before_its_bytes_exceed_a_reply()
    {
        var details = new Dictionary<string, string> { ["d"] = new('x', 256 * 1024) };
        for (var number = 0; number < 15; number++)
        {
            await Dbos.Send(new SetModuleState(Given.State($"r{number}").State! with { Details = details }, null));
        }

        var first = await States.List(new StateFilter("a1", "ping"), new PageRequest(0, string.Empty), None);

        first.Items.Should().HaveCount(11, "twelve are more than 3 MiB with their names");
        (await Pages(new StateFilter("a1", "ping"), 0)).Should().HaveCount(15);
    }

    [Fact]
    public async Task All_states_move_to_another_store_with_their_place_in_every_list()
    {
        var latest = await Fill();
        var target = await Open(new OpenOptions());
        var exported = await Dbos.Get<ISubjectTransfer<StoredModuleState>>().Export().ToListAsync();

        await target.Get<ISubjectTransfer<StoredModuleState>>().Import([.. exported.OrderBy(stored => stored.State.ModuleName)], None);

        exported.Should().HaveCount(latest.Count);
        foreach (var filter in EveryFilter)
        {
            (await Pages(target, filter, 4)).Should().Equal(await Pages(filter, 0));
        }

        var moved = target.Get<IModuleStateRepository>();
        (await moved.List(Any, new PageRequest(0, string.Empty), None)).Items.Should().BeEquivalentTo((await States.List(Any, new PageRequest(0, string.Empty), None)).Items);
        (await moved.Find("shared", string.Empty, None))!.AgentId.Should().Be((await States.Find("shared", string.Empty, None))!.AgentId);
        (await target.Send(Given.State("shared", "error", "a2", "m1"))).Value.Version.Should().Be(2);
        (await target.Send(Given.State("shared", "running", "a2", "m1"))).IsRefused.Should().BeTrue();
        (await target.Lines()).Should().NotContain(line => line.StartsWith("events", StringComparison.Ordinal) && !line.Contains("error", StringComparison.Ordinal));
    }

    private sealed record Listed(string Request, string Agent, string Module, RunState State);

    /// <summary>Three agents, two modules, a request that all agents measure, lives; some go on. Answers them as they are to be listed.</summary>
    private async Task<IReadOnlyList<Listed>> Fill()
    {
        var reports = new List<(string Request, string State, string Agent, string Module)>();
        foreach (var agent in new[] { "a:1", "a2", "a3" })
        {
            foreach (var module in new[] { "m1", "m2" })
            {
                reports.AddRange([($"{agent}/{module}/1", "running", agent, module), ($"{agent}/{module}/2", "started", agent, module), (string.Empty, "stopped", agent, module)]);
            }

            reports.Add(("shared", "running", agent, agent == "a2" ? "m1" : "m2"));
        }

        reports.AddRange([("a:1/m2/1", "completed", "a:1", "m2"), ("shared", "completed", "a:1", "m2"), ("a3/m1/2", "running", "a3", "m1")]);
        var latest = new List<Listed>();
        foreach (var (request, state, agent, module) in reports)
        {
            (await Dbos.Send(Given.State(request, state, agent, module))).IsRefused.Should().BeFalse();
            latest.RemoveAll(listed => (listed.Request, listed.Agent, listed.Module) == (request, agent, module));
            latest.Insert(0, new Listed(request, agent, module, RunStateWords.Parse(state)!.Value));

            // Between partitions the order is that of their clock's microseconds.
            await Task.Delay(1);
        }

        return latest;
    }

    private Task<List<Listed>> Pages(StateFilter filter, int size) => Pages(Dbos, filter, size);

    private static async Task<List<Listed>> Pages(OpenStore dbos, StateFilter filter, int size)
    {
        var all = new List<Listed>();
        var token = string.Empty;
        do
        {
            var page = await dbos.Get<IModuleStateRepository>().List(filter, new PageRequest(size, token), None);
            page.Items.Count.Should().BeLessThanOrEqualTo(size == 0 ? PageRequest.MostItems : size);
            all.AddRange(page.Items.Select(state => new Listed(state.RequestId, state.AgentId, state.ModuleName, state.State)));
            token = page.NextToken;
        }
        while (token.Length > 0);

        return all;
    }
}

public sealed class ModuleStateListsOnRedis(RedisEngine engine) : ModuleStateListContract(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ModuleStateListsOnCluster(ClusterEngine engine) : ModuleStateListContract(engine);

public sealed class ModuleStateListsOnSqlite(SqliteEngine engine) : ModuleStateListContract(engine), IClassFixture<SqliteEngine>;
