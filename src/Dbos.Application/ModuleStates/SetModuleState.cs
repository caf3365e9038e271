using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.ModuleStates;

/// <summary>A state as an agent reports it: its word not yet known to be one.</summary>
/// <param name="Version">Greater than 0: the version that the caller read.</param>
public sealed record StateReport(
    string AgentId,
    string ModuleName,
    string State,
    string ErrorMessage,
    IReadOnlyDictionary<string, string> Details,
    long Timestamp,
    string RequestId,
    long Version)
{
    internal ContentHash Content => new ContentHash.Builder()
        .Add(RequestId)
        .Add(AgentId)
        .Add(ModuleName)
        .Add(State)
        .Add(ErrorMessage)
        .Add(Details)
        .Add(Timestamp)
        .Build();

    /// <summary>Of a report whose word was validated.</summary>
    internal ReportedState ToReported(ExpectedVersions expected) =>
        new(AgentId, ModuleName, RunStateWords.Parse(State)!.Value, ErrorMessage, Details, Timestamp, RequestId, expected);
}

/// <param name="ExpectedVersion">Write only over this version; 0: only if nothing is stored; null: not given.</param>
public sealed record SetModuleState(StateReport? State, long? ExpectedVersion) : IWrite
{
    public string RefusedEvent => EventTypes.ModuleStateError;

    public (string Name, string Value)[] Subject => State is null
        ? []
        : State.RequestId.Length > 0
            ? [(Names.RequestId, State.RequestId), (Names.AgentId, State.AgentId), (Names.ModuleName, State.ModuleName), ("state", State.State)]
            : [(Names.AgentId, State.AgentId), (Names.ModuleName, State.ModuleName), ("state", State.State)];

    public ContentHash Content => State!.Content;

    public sealed class Validator : AbstractValidator<SetModuleState>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.State).IsGiven("state");
            RuleFor(command => command.State!.AgentId).IsId("state.agent_id");
            RuleFor(command => command.State!.RequestId).IsIdOrEmpty("state.request_id");
            RuleFor(command => command.State!).SetValidator(new Content(state => TransitionGraph.Of(state.RequestId).States));
            RuleFor(command => command.ExpectedVersion ?? 0).IsWithin("expected_version", 0, long.MaxValue);
        }

        /// <summary>All but the ids of agent and request.</summary>
        internal sealed class Content : AbstractValidator<StateReport>
        {
            /// <param name="allowed">Which states may be reported.</param>
            public Content(Func<StateReport, IReadOnlyList<RunState>> allowed)
            {
                ClassLevelCascadeMode = CascadeMode.Stop;
                RuleFor(state => state.ModuleName).IsId("state.module_name");
                RuleFor(state => state.State)
                    .Must((report, word) => RunStateWords.Parse(word) is { } state && allowed(report).Contains(state))
                    .WithMessage((report, word) => Rules.Sentence(
                        "state.state", $"must be one of {string.Join(", ", allowed(report).Select(state => state.Word()))}", word));
                RuleFor(state => state.Timestamp).IsTime("state.timestamp");
                RuleFor(state => state.Version).IsWithin("state.version", 0, long.MaxValue);
            }
        }
    }

    public sealed class Handler(IModuleStateRepository states, CommitContext work, TimeProvider clock)
        : IRequestHandler<SetModuleState, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(SetModuleState command, CancellationToken cancellationToken)
        {
            var report = command.State!;
            var reported = report.ToReported(
                command.ExpectedVersion is { } expected ? ExpectedVersions.Exactly(expected) : ExpectedVersions.Read(report.Version));
            switch (await states.Report(reported, work, cancellationToken))
            {
                case Saved<ModuleState>.Done done:
                    return new Written(done.Version, Duplicate: false);
                case Saved<ModuleState>.Replayed replayed:
                    work.ReplayDiffered = replayed.First.ContentDiffers;
                    return new Written(replayed.First.Version, Duplicate: true);
                case Saved<ModuleState>.Conflict { Found: var found }:
                    var decided = ModuleState.Report(found, reported, clock.GetUtcNow());
                    return decided switch
                    {
                        { Refusal: { } refusal } => refusal,
                        { Value.IsReplay: true } => new Written(decided.Value.Next.Version, Duplicate: true),
                        _ => throw new InvalidOperationException($"the store did not take a report that may follow what it found: {report.State} after {found?.State}"),
                    };
                case var unknown:
                    throw new InvalidOperationException($"unknown outcome of a report: {unknown}");
            }
        }
    }
}
