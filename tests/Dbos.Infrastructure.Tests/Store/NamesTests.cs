using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class NamesTests
{
    public static TheoryData<string, string> Spelled => new()
    {
        { Names.Agents, "agents" },
        { Names.AgentDeadlines, "agents:deadlines" },
        { Names.Turns, "turns" },
        { Names.TurnsOfAgent("a1"), "turns:agent:a1" },
        { Names.TurnsOfModule("ping"), "turns:module:ping" },
        { Names.Lane("a1", "ping"), "a1:ping" },
        { Names.Tasks("pending"), "tasks:pending" },
        { Names.TasksOfAgent("pending", "a1"), "tasks:pending:agent:a1" },
        { Names.TasksOfModule("pending", "ping"), "tasks:pending:module:ping" },
        { Names.TasksOf("pending", "a1", "ping"), "tasks:pending:both:a1:ping" },
        { Names.Counts(null), "counts" },
        { Names.Counts(159_000_000), "counts:159000000" },
        { Names.Agent("a-1"), "agent:a-1" },
        { Names.Result("a1", "r1"), "result:a1:r1" },
        { Names.Results("a1"), "results:a1" },
        { Names.Task("t1"), "task:t1" },
        { Names.Mark("StoreResult", "named", "r1", "a1", "k1"), "mark:StoreResult:named:r1:a1:k1" },
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
    public void A_lane_and_a_task_are_read_from_their_names_again()
    {
        string[] ids = ["", ":", "%", "a", "a:b", "%3A", "a%3Ab", "a%253Ab", "%25", "%253A", "25%:"];

        var lanes = (from agent in ids from module in ids select (agent, module)).ToArray();
        lanes.Select(lane => Names.ReadLane(Names.Lane(lane.agent, lane.module))).Should().Equal(lanes);
        ids.Select(id => Names.TaskId(Names.Task(id))).Should().Equal(ids);
    }

    [Fact]
    public void No_two_lists_of_ids_make_one_name()
    {
        string[] ids = ["", ":", "%", "a", "b", "a:b", ":a", "a:", "%3A", "a%3Ab", "a%253Ab", "%25"];
        var pairs = from left in ids from right in ids select (left, right);

        var names = pairs.SelectMany(pair => new[]
        {
            Names.Result(pair.left, pair.right),
            Names.TasksOf("pending", pair.left, pair.right),
            Names.Mark(pair.left, pair.right),
        }).Concat(ids.SelectMany(id => new[] { Names.Agent(id), Names.Task(id), Names.Results(id) }))
        .Concat(ids.SelectMany(id => new[] { Names.TurnsOfAgent(id), Names.TurnsOfModule(id), Names.TasksOfAgent("pending", id), Names.TasksOfModule("pending", id) }));

        names.Concat([Names.Agents, Names.AgentDeadlines, Names.Turns, .. MeasurementTaskStatusWords.All.Select(Names.Tasks), Names.Counts(null), Names.Counts(1), "events", "refusals"])
            .Should().OnlyHaveUniqueItems();
    }
}
