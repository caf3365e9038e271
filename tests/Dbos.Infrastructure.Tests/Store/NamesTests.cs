using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class NamesTests
{
    private static readonly string[] Ids = ["", ":", "%", " ", "a", "b", "a b", "a:b", ":a", "a:", "%3A", "%20", "a%3Ab", "a%253Ab", "%25", "%253A", "25%:"];

    public static TheoryData<string, string> Spelled => new()
    {
        { Names.Agents, "agents" },
        { Names.AgentDeadlines, "agents:deadlines" },
        { Names.Tasks("pending"), "tasks:pending" },
        { Names.Agent("a-1"), "agent:a-1" },
        { Names.Mark("StoreResult", "named", "r1", "a1", "k1"), "mark:StoreResult:named:r1:a1:k1" },
        { Names.Events(EventLogName.History), "events" },
        { Names.Events(EventLogName.Refusals), "refusals" },
        { QueueNames.Of("a1", "ping"), "a1:ping" },
        { QueueNames.Of("a:1", "p%i ng"), "a%3A1:p%25i%20ng" },
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
    public void A_queue_and_the_record_of_a_mark_are_read_from_their_names_again()
    {
        var queues = (from agent in Ids from module in Ids select (agent, module)).ToArray();

        queues.Select(queue => QueueNames.Read(QueueNames.Of(queue.agent, queue.module))).Should().Equal(queues);
        Ids.Select(id => Names.RecordIdOfMark(Names.Mark("ScheduleTask", "named", id, "key"))).Should().Equal(Ids);
        Ids.Select(id => Names.Decode(Names.Encode(id))).Should().Equal(Ids);
    }

    [Fact]
    public void No_two_lists_of_ids_make_one_name()
    {
        var pairs = from left in Ids from right in Ids select (left, right);

        var names = pairs.Select(pair => Names.Mark(pair.left, pair.right)).Concat(Ids.Select(Names.Agent));

        names.Concat([Names.Agents, Names.AgentDeadlines, .. MeasurementTaskStatusWords.All.Select(Names.Tasks), "events", "refusals"])
            .Should().OnlyHaveUniqueItems();
        pairs.Select(pair => QueueNames.Of(pair.left, pair.right)).Should().OnlyHaveUniqueItems();
    }
}
