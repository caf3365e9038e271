using Dbos.Chaos.Checking;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Tests;

/// <summary>Each part of an acknowledgement with a result and a state is missed by the checker, and found where it ought not to be.</summary>
public sealed class ReportCheckTests
{
    private readonly Story story = Story.Clean();

    public ReportCheckTests()
    {
        story.Calls.RemoveAt(story.Calls.Count - 1);
        story.Events.RemoveAt(story.Events.Count - 1);
        story.AckWith(10, "taker-2", token: 2, "measured");
    }

    [Fact]
    public void Finds_nothing_where_all_parts_are_there() => story.Check().Should().BeEmpty();

    [Fact]
    public void Finds_nothing_where_none_is_and_the_outcome_is_unknown()
    {
        story.Change(story.Calls[^1], ack => ack with { Outcome = Outcome.Unknown });
        story.Task.Status = "inflight";
        RemoveParts(result: true, resultEvent: true, state: true, stateEvent: true);

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void A_plain_acknowledgement_of_a_later_delivery_completes_the_task_alone()
    {
        story.Change(story.Calls[^1], ack => ack with { Outcome = Outcome.Refused });
        RemoveParts(result: true, resultEvent: true, state: true, stateEvent: true);
        story.Deliver(20, "taker-1", token: 3, seconds: 2);
        story.Ack(21, "taker-1", token: 3);

        story.Check().Should().BeEmpty();
    }

    [Theory]
    [InlineData(true, false, false, false)]
    [InlineData(false, true, false, false)]
    [InlineData(false, false, true, false)]
    [InlineData(false, false, false, true)]
    [InlineData(true, true, true, true)]
    public void Finds_a_completion_without_a_part(bool result, bool resultEvent, bool state, bool stateEvent)
    {
        RemoveParts(result, resultEvent, state, stateEvent);

        story.Check().Select(violation => violation.Promise).Distinct().Should().Equal(Promise.AcknowledgementTorn);
    }

    [Fact]
    public void Finds_parts_without_the_completion()
    {
        story.Change(story.Calls[^1], ack => ack with { Outcome = Outcome.Refused });
        story.Task.Status = "inflight";

        story.Check().Select(violation => violation.Promise).Distinct().Should().Equal(Promise.AcknowledgementTorn);
    }

    [Fact]
    public void Finds_another_result_than_was_carried()
    {
        story.Results[^1].Data = Google.Protobuf.ByteString.CopyFromUtf8("other");

        story.Check().Select(violation => violation.Promise).Should().Equal(Promise.AcknowledgementTorn);
    }

    private void RemoveParts(bool result, bool resultEvent, bool state, bool stateEvent)
    {
        Remove(result, () => story.Results.RemoveAt(story.Results.Count - 1));
        Remove(resultEvent, () => story.Events.Remove(new LoggedEvent("result_stored", Subjects.OfResult(Story.AgentId, Story.TaskId), 0)));
        Remove(state, () => story.States.RemoveAt(story.States.Count - 1));
        Remove(stateEvent, () => story.Events.Remove(new LoggedEvent("module_state_updated", Story.TaskId, 1)));

        static void Remove(bool isToGo, Action remove)
        {
            if (isToGo)
            {
                remove();
            }
        }
    }
}
