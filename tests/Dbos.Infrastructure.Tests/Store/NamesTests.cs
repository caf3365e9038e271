using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class NamesTests
{
    public static TheoryData<string, string> Spelled => new()
    {
        { Names.Agents, "agents" },
        { Names.AgentDeadlines, "agents:deadlines" },
        { Names.States, "states" },
        { Names.PendingTasks, "tasks:pending" },
        { Names.LeasedTasks, "tasks:leased" },
        { Names.DeadTasks, "tasks:dead" },
        { Names.Agent("a-1"), "agent:a-1" },
        { Names.State("r1"), "state:r1" },
        { Names.Life("a1", "ping"), "life:a1:ping" },
        { Names.StatesOfAgent("a1"), "states:agent:a1" },
        { Names.StatesOfModule("ping"), "states:module:ping" },
        { Names.StatesOf("a1", "ping"), "states:both:a1:ping" },
        { Names.Result("a1", "r1"), "result:a1:r1" },
        { Names.Results("a1"), "results:a1" },
        { Names.Task("t1"), "task:t1" },
        { Names.Mark("StoreResult", "natural", "a1", "r1"), "mark:StoreResult:natural:a1:r1" },
        { Names.Events(EventLogName.History), "events" },
        { Names.Events(EventLogName.Refusals), "refusals" },
    };

    [Theory]
    [MemberData(nameof(Spelled))]
    public void Names_are_spelled_as_every_release_before_spelled_them(string name, string spelled) => name.Should().Be(spelled);

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
