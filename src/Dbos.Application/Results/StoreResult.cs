using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Results;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.Results;

/// <param name="Result">Without the metadata that DBOS fills in: 0 or empty there.</param>
public sealed record StoreResult(MeasurementResult? Result) : IWrite
{
    private const string IngestSource = "grpc";

    public string RefusedEvent => EventTypes.ResultStoreError;

    public (string Name, string Value)[] Subject => Result is null ? [] : [(Names.RequestId, Result.Id), (Names.AgentId, Result.AgentId)];

    public string[] RecordIds => [Result!.Id, Result.AgentId];

    public ContentHash Content => new ContentHash.Builder()
        .Add(Result!.Id)
        .Add(Result.ModuleName)
        .Add(Result.Timestamp)
        .Add(Result.AgentStartTime)
        .Add(Result.AgentRuntimeVersion)
        .Add(Result.ModuleRevision)
        .Add(Result.Data.Span)
        .Build();

    /// <summary>Fills in what the caller left out of the metadata.</summary>
    internal static MeasurementResult Received(MeasurementResult result, DbosPolicy policy, DateTimeOffset now) => result with
    {
        ReceivedAt = result.ReceivedAt > 0 ? result.ReceivedAt : now.ToUnixTimeSeconds(),
        DbosServerId = result.DbosServerId.Length > 0 ? result.DbosServerId : policy.ServerId,
        IngestSource = result.IngestSource.Length > 0 ? result.IngestSource : IngestSource,
    };

    public sealed class Validator : AbstractValidator<StoreResult>
    {
        public Validator(DbosPolicy policy)
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.Result).IsGiven("result");
            RuleFor(command => command.Result!.Id).IsId("result.id");
            RuleFor(command => command.Result!.AgentId).IsId("result.agent_id");
            RuleFor(command => command.Result!).SetValidator(new Content(policy));
        }

        /// <summary>All but the ids.</summary>
        internal sealed class Content : AbstractValidator<MeasurementResult>
        {
            public Content(DbosPolicy policy)
            {
                ClassLevelCascadeMode = CascadeMode.Stop;
                RuleFor(result => result.ModuleName).IsIdOrEmpty("result.module_name");
                RuleFor(result => result.Data).IsAtMost("result.data", policy.MaxResultBytes);
                RuleFor(result => result.Timestamp).IsTime("result.timestamp");
                RuleFor(result => result.ReceivedAt).IsTime("result.received_at");
                RuleFor(result => result.AgentStartTime).IsTime("result.agent_start_time");
            }
        }
    }

    public sealed class Handler(IResultRepository results, CommitContext work, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<StoreResult, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(StoreResult command, CancellationToken cancellationToken)
        {
            var received = Received(command.Result!, policy, clock.GetUtcNow());
            work.Events = MeasurementResult.Store(stored: null, received).Events;
            var written = await results.Store(received, work, cancellationToken);
            work.ReplayDiffered = written.ContentDiffers;
            return written;
        }
    }
}
