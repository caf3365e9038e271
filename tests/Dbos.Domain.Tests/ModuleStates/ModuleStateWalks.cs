using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.ModuleStates;

/// <summary>Random walks of reports by two modules of an agent, with few enough seconds and details that replays are met often.</summary>
public sealed class ModuleStateWalks
{
    public sealed record Said(RunState State, byte Second, bool Errs, bool ByAnother, byte? Expects);

    private sealed record Step(
        ModuleState? Before, ReportedState Reported, Answer<Decision<ModuleState>> Answer)
    {
        public ModuleState? After => Answer.IsRefused ? Before : Answer.Value.Next;

        public long VersionBefore => Before?.Version ?? 0;

        public bool SaysWhatWasReported => (After!.AgentId, After.ModuleName, After.RequestId, After.State, After.ErrorMessage, After.Timestamp)
            == (Reported.AgentId, Reported.ModuleName, Reported.RequestId, Reported.State, Reported.ErrorMessage, Reported.Timestamp);

        public bool IsAccepted => !Answer.IsRefused && !Answer.Value.IsReplay;

        public bool IsReplay => !Answer.IsRefused && Answer.Value.IsReplay;
    }

    [Property]
    public bool Each_accepted_report_makes_the_next_version_and_one_event(Said[] said, bool ofRequest) =>
        Walk(said, ofRequest).Where(step => step.IsAccepted).All(step =>
            step.After!.Version == step.VersionBefore + 1
            && step.SaysWhatWasReported
            && step.Answer.Value.Events.Count == 1);

    [Property]
    public bool A_terminal_state_of_a_request_stays_for_ever(Said[] said)
    {
        var ended = Walk(said, ofRequest: true).SkipWhile(step => !IsTerminal(step.Before)).ToList();

        return ended.All(step => ReferenceEquals(step.After, ended[0].Before));
    }

    [Property]
    public bool Each_accepted_report_is_a_step_of_the_graph_by_the_owner_over_the_expected_version(Said[] said, bool ofRequest) =>
        Walk(said, ofRequest).Where(step => step.IsAccepted).All(step =>
            (step.Before is null
                || (TransitionGraph.Of(step.Reported.RequestId).Allows(step.Before.State, step.Reported.State)
                    && step.Before.ModuleName == step.Reported.ModuleName))
            && step.Reported.Expected.Include(step.VersionBefore));

    [Property]
    public bool A_replay_says_what_is_stored_and_changes_nothing(Said[] said, bool ofRequest) =>
        Walk(said, ofRequest).Where(step => step.IsReplay).All(step =>
            ReferenceEquals(step.After, step.Before)
            && step.Answer.Value.Events.Count == 0
            && step.Reported.State == step.Before!.State
            && step.Reported.Timestamp == step.Before.Timestamp
            && step.Reported.ErrorMessage == step.Before.ErrorMessage);

    [Property]
    public void A_refusal_changes_nothing_and_says_why(Said[] said, bool ofRequest)
    {
        ModuleState? copy = null;
        foreach (var step in Walk(said, ofRequest))
        {
            step.Before.Should().Be(copy);
            if (step.Answer.Refusal is { } refusal)
            {
                refusal.Sentence.Should().Contain(ofRequest ? "'request-1'" : "'ping'");
            }

            copy = step.After is { } after ? after with { } : null;
        }
    }

    [Fact]
    public void The_walks_meet_acceptance_refusal_replay_and_end()
    {
        Said Say(RunState state) => new(state, Second: 0, Errs: false, ByAnother: false, Expects: null);

        var steps = Walk([Say(RunState.Running), Say(RunState.Running), Say(RunState.Started), Say(RunState.Failed)], ofRequest: true).ToList();

        steps.Select(step => (step.IsAccepted, step.IsReplay)).Should().Equal((true, false), (false, true), (false, false), (true, false));
        IsTerminal(steps[^1].After).Should().BeTrue();
    }

    private static bool IsTerminal(ModuleState? state) => state is not null && TransitionGraph.Request.IsTerminal(state.State);

    private static IEnumerable<Step> Walk(Said[] walk, bool ofRequest)
    {
        ModuleState? stored = null;
        foreach (var said in walk)
        {
            var reported = Samples.Report with
            {
                RequestId = ofRequest ? Samples.Report.RequestId : string.Empty,
                ModuleName = said.ByAnother && ofRequest ? "traceroute" : "ping",
                State = said.State,
                Timestamp = Samples.Second + (said.Second % 2),
                ErrorMessage = said.Errs ? "no route" : string.Empty,
                Expected = said.Expects is { } expected ? ExpectedVersions.Exactly(expected % 4) : ExpectedVersions.Any,
            };
            var step = new Step(stored, reported, ModuleState.Report(stored, reported, Samples.Now));
            yield return step;
            stored = step.After;
        }
    }
}
