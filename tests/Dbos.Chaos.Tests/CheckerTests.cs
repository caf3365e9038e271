using Dbos.Chaos.Checking;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Tests;

/// <summary>The checker finds each fault that is planted in a clean history, and nothing else.</summary>
public sealed class CheckerTests
{
    private readonly Story story = Story.Clean();

    [Fact]
    public void Finds_nothing_in_a_clean_history() => story.Check().Should().BeEmpty();

    [Fact]
    public void A_write_of_unknown_outcome_may_have_been_done_or_not()
    {
        story.Calls.RemoveAll(call => call.Method is Method.StoreResult or Method.SetModuleState);
        story.Add(new Call(100, "agent", Method.StoreResult, Story.ResultSubject, default, default, Outcome.Unknown) { Content = Content.Of(story.Results[0]) });
        story.Add(new Call(101, "agent", Method.StoreResult, "agent/other", default, default, Outcome.Unknown) { Content = "other" });
        story.Add(new Call(102, "agent", Method.SetModuleState, Story.RequestId, default, default, Outcome.Unknown));
        story.Add(new Call(103, "agent", Method.SetModuleState, "other", default, default, Outcome.Unknown));

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void A_write_that_was_sent_again_may_be_answered_as_a_replay()
    {
        foreach (var call in story.Calls.Where(call => !call.IsDelivery).ToArray())
        {
            story.Change(call, first => first with { Outcome = Outcome.Unknown });
            var again = call with { Started = call.Ended, Ended = call.Ended + TimeSpan.FromSeconds(0.2), Duplicate = true };
            story.Add(again);
        }

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void What_was_refused_need_not_be_there()
    {
        story.Add(new Call(100, "agent", Method.StoreResult, "agent/refused", default, default, Outcome.Refused));
        story.Add(new Call(101, "taker-1", Method.AckTask, Story.TaskId, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10), Outcome.Refused) { Number = 1 });

        story.Check().Should().BeEmpty();
    }

    [Theory]
    [InlineData("Internal", 1)]
    [InlineData("Unknown", 1)]
    [InlineData("Unavailable", 0)]
    [InlineData("DeadlineExceeded", 0)]
    [InlineData("ResourceExhausted", 0)]
    public void Finds_a_call_that_DBOS_failed_at_and_tells_it_from_an_outage(string code, int found)
    {
        story.Add(new Call(100, "agent", Method.StoreResult, "agent/other", default, default, Outcome.Unknown) { Code = code });

        story.Check().Count(violation => violation.Promise == Promise.Failed).Should().Be(found);
    }

    [Fact]
    public void Finds_a_lost_agent() => Finds(Promise.AcknowledgedWriteLost, () => story.Agents.Clear());

    [Fact]
    public void Finds_a_lost_heartbeat() => Finds(Promise.AcknowledgedWriteLost, () => story.Agents[0].TotalHeartbeats--);

    [Fact]
    public void Finds_a_lost_result() => Finds(Promise.AcknowledgedWriteLost, () => story.Results.Clear());

    [Fact]
    public void Finds_an_overwritten_result() =>
        Finds(Promise.AcknowledgedWriteLost, () => story.Results[0].Data = Google.Protobuf.ByteString.CopyFromUtf8("other"));

    [Fact]
    public void Finds_a_lost_state() => Finds(Promise.AcknowledgedWriteLost, () =>
    {
        story.States[0].Version = 1;
        story.Events.Remove(new LoggedEvent("module_state_updated", Story.RequestId, 2));
        story.Calls.RemoveAll(call => call.Method == Method.SetModuleState && call.Number == 1);
    }, andAlso: Promise.EventMissing);

    [Fact]
    public void Finds_an_overwritten_state() => Finds(Promise.AcknowledgedWriteLost, () => story.States[0].ErrorMessage = "other");

    [Fact]
    public void Finds_a_lost_task() => Finds(Promise.AcknowledgedWriteLost, () => story.Tasks.Clear());

    [Fact]
    public void Finds_a_task_that_is_listed_twice() => Finds(Promise.AcknowledgedWriteLost, () => story.Tasks.Add(story.Task));

    [Fact]
    public void Finds_a_lost_acknowledgement() => Finds(Promise.AcknowledgedWriteLost, () => story.Task.Status = "pending");

    [Fact]
    public void Finds_a_lost_negative_acknowledgement() => Finds(Promise.AcknowledgedWriteLost, () => story.Task.FailureCount--);

    [Fact]
    public void Finds_a_lost_delivery() => Finds(Promise.AcknowledgedWriteLost, () =>
    {
        story.Calls.RemoveAll(call => call.IsAck);
        story.Task.LeaseToken = 1;
    });

    [Fact]
    public void Finds_a_lost_cancellation() => Finds(Promise.AcknowledgedWriteLost, () =>
    {
        story.Say(9.5, "scheduler", Method.CancelTask, token: 0);
        story.Events.Add(new LoggedEvent("task_cancelled", Story.TaskId, 2));
    });

    [Fact]
    public void A_deleted_dead_letter_is_gone()
    {
        story.Say(11, "scheduler", Method.DeleteDeadLetterTask, token: 0);
        story.Events.Add(new LoggedEvent("task_deleted", Story.TaskId, 2));
        story.Tasks.Clear();

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void Finds_a_deleted_dead_letter_that_is_there() => Finds(Promise.AcknowledgedWriteLost, () =>
    {
        story.Say(11, "scheduler", Method.DeleteDeadLetterTask, token: 0);
        story.Events.Add(new LoggedEvent("task_deleted", Story.TaskId, 2));
    });

    [Fact]
    public void A_requeued_dead_letter_counts_its_failures_anew()
    {
        story.Say(7.5, "scheduler", Method.RequeueDeadLetterTasks, token: 0);
        story.Events.Add(new LoggedEvent("task_requeued", Story.TaskId, 1));
        story.Task.FailureCount = 0;

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void Finds_a_result_that_is_listed_twice() => Finds(Promise.ResultStoredTwice, () => story.Results.Add(story.Results[0]));

    [Fact]
    public void Finds_a_result_that_was_taken_as_new_twice() =>
        Finds(Promise.ResultStoredTwice, () => story.Add(story.Calls.First(call => call.Method == Method.StoreResult) with { Id = 100 }));

    [Fact]
    public void Finds_a_result_that_the_log_tells_twice() =>
        Finds(Promise.ResultStoredTwice, () => story.Events.Add(new LoggedEvent("result_stored", Story.ResultSubject, 0)));

    [Fact]
    public void Finds_a_skipped_version() => Finds(Promise.VersionSkippedOrRepeated, () => story.Report(11, "running", version: 4));

    [Fact]
    public void Finds_a_version_that_two_reports_were_given() => Finds(Promise.VersionSkippedOrRepeated, () =>
        story.Add(story.Calls.Last(call => call.Method == Method.SetModuleState) with { Id = 100, Client = "other" }));

    [Fact]
    public void Finds_a_version_that_the_log_tells_twice() =>
        Finds(Promise.VersionSkippedOrRepeated, () => story.Events.Add(new LoggedEvent("module_state_updated", Story.RequestId, 2)));

    [Fact]
    public void Finds_a_version_that_the_log_alone_knows() =>
        Finds(Promise.VersionSkippedOrRepeated, () => story.Events.Add(new LoggedEvent("module_state_updated", Story.RequestId, 3)));

    [Fact]
    public void Finds_versions_that_go_back() => Finds(Promise.VersionSkippedOrRepeated, () =>
    {
        var first = story.Calls.First(call => call.Method == Method.SetModuleState);
        story.Change(first, call => call with { Started = TimeSpan.FromSeconds(20), Ended = TimeSpan.FromSeconds(21) });
    });

    [Fact]
    public void Finds_a_stale_read() => Finds(Promise.StaleRead, () =>
        story.Add(new Call(100, "other", Method.ListModuleStates, Story.RequestId, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6), Outcome.Acknowledged) { Number = 1 }));

    [Fact]
    public void A_read_beside_a_write_may_tell_either()
    {
        story.Add(new Call(100, "other", Method.ListModuleStates, Story.RequestId, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6), Outcome.Acknowledged) { Number = 1 });
        story.Add(new Call(101, "other", Method.ListModuleStates, Story.RequestId, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6), Outcome.Acknowledged) { Number = 2 });

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void Finds_two_holders_whose_leases_overlap() => Finds(Promise.TaskHeldTwice, () =>
    {
        // As if the first had not ended it.
        story.Calls.RemoveAll(call => call.Method == Method.NackTask);
    });

    [Fact]
    public void Finds_two_holders_while_an_extended_lease_runs() => Finds(Promise.TaskHeldTwice, () =>
    {
        story.Calls.RemoveAll(call => call.IsAck);
        story.Deliver(12, "taker-3", token: 3, seconds: 1);
    });

    [Fact]
    public void Two_holders_one_after_the_other_are_none_at_a_time()
    {
        story.Calls.RemoveAll(call => call.IsAck);
        story.Deliver(15, "taker-3", token: 3, seconds: 1);

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void Finds_a_delivery_that_two_takers_got() => Finds(Promise.TaskHeldTwice, () =>
        story.Say(8.5, "taker-1", Method.StreamDueTasks, token: 2, heldFor: 0.1));

    [Fact]
    public void Finds_a_token_that_did_not_grow() => Finds(Promise.TaskHeldTwice, () =>
        story.Say(20, "taker-1", Method.ListDueTasks, token: 1, heldFor: 1));

    [Fact]
    public void Finds_a_token_that_the_log_tells_again() =>
        Finds(Promise.TaskHeldTwice, () => story.Events.Add(new LoggedEvent("tasks_retrieved", Story.TaskId, 1)));

    [Theory]
    [InlineData(Method.NackTask)]
    [InlineData(Method.ExtendTaskLease)]
    public void Finds_a_stale_word_that_was_accepted(Method method) => Finds(Promise.TaskHeldTwice, () =>
    {
        if (method == Method.NackTask)
        {
            story.Events.Add(new LoggedEvent("task_nacked", Story.TaskId, 1));
        }

        story.Say(9, "taker-1", method, token: 1, heldFor: -3);
    });

    [Fact]
    public void Finds_a_stale_acknowledgement_that_was_accepted() => Finds(Promise.TaskHeldTwice, () =>
    {
        story.Events.Add(new LoggedEvent("task_acknowledged", Story.TaskId, 1));
        story.Say(9, "taker-1", Method.AckTask, token: 1);
    }, andAlso: Promise.AcknowledgedWriteLost);

    [Theory]
    [InlineData("agent_registered")]
    [InlineData("result_stored")]
    [InlineData("module_state_updated")]
    [InlineData("task_scheduled")]
    [InlineData("tasks_retrieved")]
    [InlineData("task_nacked")]
    [InlineData("task_acknowledged")]
    public void Finds_a_missing_event(string type) => Finds(Promise.EventMissing, () => story.Events.RemoveAll(told => told.Type == type));

    [Theory]
    [InlineData(Method.RegisterAgent)]
    [InlineData(Method.StoreResult)]
    [InlineData(Method.SetModuleState)]
    [InlineData(Method.ScheduleTask)]
    [InlineData(Method.NackTask)]
    [InlineData(Method.AckTask)]
    public void Finds_a_replay_of_what_nobody_had_sent(Method method) => Finds(Promise.AnsweredWithoutCause, () =>
        story.Change(story.Calls.First(call => call.Method == method), first => first with { Duplicate = true }));

    [Fact]
    public void Finds_a_lease_that_was_called_lost_while_it_ran() => Finds(Promise.AnsweredWithoutCause, () => story.Change(
        story.Calls.Single(call => call.Method == Method.ExtendTaskLease),
        extended => extended with { Started = TimeSpan.FromSeconds(8.3), Ended = TimeSpan.FromSeconds(8.5), Outcome = Outcome.Refused, Code = "LeaseLost" }));

    [Fact]
    public void A_lease_may_be_lost_when_it_has_expired_was_released_or_was_ended()
    {
        LoseLease(at: 15.5, "taker-2", token: 2);
        LoseLease(at: 7.5, "taker-1", token: 1);
        LoseLease(at: 8.1, "taker-2", token: 2);
        story.Events.Add(new LoggedEvent("task_released", Story.TaskId, 2));

        story.Check().Should().BeEmpty();
    }

    [Fact]
    public void Finds_a_step_that_was_refused_though_every_step_before_it_was_taken() => Finds(Promise.AnsweredWithoutCause, () =>
        story.Add(new Call(100, "agent", Method.SetModuleState, Story.RequestId, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(21), Outcome.Refused)
        {
            Code = "InvalidTransition",
            Content = "next",
        }));

    [Theory]
    [InlineData("other", true)]
    [InlineData("agent", false)]
    public void A_step_may_be_refused_where_another_reports_or_a_step_before_it_may_not_be_taken(string client, bool isTaken)
    {
        var refused = story.Calls.Last(call => call.Method == Method.SetModuleState) with { Outcome = Outcome.Refused, Content = "next" };
        story.Add(refused with
        {
            Id = 100,
            Client = client,
            Outcome = isTaken ? Outcome.Acknowledged : Outcome.Unknown,
            Content = "before",
            Started = TimeSpan.FromSeconds(18),
            Ended = TimeSpan.FromSeconds(19),
        });
        story.Add(refused with { Id = 101, Started = TimeSpan.FromSeconds(20), Ended = TimeSpan.FromSeconds(21) });

        story.Check().Where(violation => violation.Promise == Promise.AnsweredWithoutCause).Should().BeEmpty();
    }

    [Fact]
    public void Passes_on_what_the_store_found_wrong_with_itself() =>
        Finds(Promise.StoreInconsistent, () => story.Inconsistencies.Add("task 'task' is in no index"));

    private void LoseLease(double at, string taker, long token)
    {
        var word = story.Say(at, taker, Method.ExtendTaskLease, token);
        story.Change(word, call => call with { Id = 100 + call.Id, Outcome = Outcome.Refused, Code = "LeaseLost" });
    }

    private void Finds(Promise promise, Action plant, params Promise[] andAlso)
    {
        plant();

        story.Check().Select(violation => violation.Promise).Distinct().Should().BeEquivalentTo([promise, .. andAlso]);
    }
}
