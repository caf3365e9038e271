using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class NamesTests
{
    [Fact]
    public void An_agent_has_a_name() => Names.Agent("a-1").Should().Be("agent:a-1");

    [Fact]
    public void A_requests_state_has_a_name() => Names.State("r1").Should().Be("state:r1");

    [Fact]
    public void A_modules_life_has_a_name() => Names.Life("a1", "ping").Should().Be("life:a1:ping");

    [Fact]
    public void The_states_of_an_agent_have_an_index() => Names.StatesOfAgent("a1").Should().Be("states:agent:a1");

    [Fact]
    public void The_states_of_a_module_have_an_index() => Names.StatesOfModule("ping").Should().Be("states:module:ping");

    [Fact]
    public void The_states_of_a_module_of_an_agent_have_an_index() => Names.StatesOf("a1", "ping").Should().Be("states:both:a1:ping");

    [Fact]
    public void A_result_has_a_name() => Names.Result("a1", "r1").Should().Be("result:a1:r1");

    [Fact]
    public void The_results_of_an_agent_have_an_index() => Names.Results("a1").Should().Be("results:a1");

    [Fact]
    public void A_task_has_a_name() => Names.Task("t1").Should().Be("task:t1");

    [Fact]
    public void A_mark_has_a_name_of_any_number_of_parts() => Names.Mark("StoreResult", "natural", "a1", "r1").Should().Be("mark:StoreResult:natural:a1:r1");

    [Theory]
    [InlineData(EventLogName.History, "events")]
    [InlineData(EventLogName.Refusals, "refusals")]
    public void Each_event_log_has_a_name(EventLogName log, string name) => Names.Events(log).Should().Be(name);

    [Theory]
    [InlineData("a:b", "agent:a%3Ab")]
    [InlineData("a%b", "agent:a%25b")]
    [InlineData("a%3Ab", "agent:a%253Ab")]
    [InlineData("ж {x} \U0001F600", "agent:ж {x} \U0001F600")]
    public void Colons_and_percent_signs_of_an_id_are_encoded_and_nothing_else(string id, string name) => Names.Agent(id).Should().Be(name);

    [Fact]
    public void No_two_lists_of_ids_make_one_name()
    {
        string[] ids = ["", ":", "%", "a", "b", "a:b", ":a", "a:", "%3A", "a%3Ab", "a%253Ab", "%25"];
        var pairs = from left in ids from right in ids select (left, right);

        var names = pairs.SelectMany(pair => new[]
        {
            Names.Result(pair.left, pair.right),
            Names.Life(pair.left, pair.right),
            Names.StatesOf(pair.left, pair.right),
            Names.Mark(pair.left, pair.right),
        }).Concat(ids.SelectMany(id => new[] { Names.Agent(id), Names.State(id), Names.Task(id), Names.Results(id), Names.StatesOfAgent(id), Names.StatesOfModule(id) }));

        names.Concat([Names.Agents, Names.AgentDeadlines, Names.States, Names.PendingTasks, Names.LeasedTasks, Names.DeadTasks, "events", "refusals"])
            .Should().OnlyHaveUniqueItems();
    }
}
