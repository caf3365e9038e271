using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.Timelines;

/// <summary>What happened to a request: its task is the one of its id, its results are those of its id of whichever agent.</summary>
public sealed record GetRequestTimeline(string RequestId) : IQuery<Timeline>
{
    public (string Name, string Value)[] Subject => [(Names.RequestId, RequestId)];

    public sealed class Validator : AbstractValidator<GetRequestTimeline>
    {
        public Validator() => RuleFor(query => query.RequestId).IsId("request_id");
    }

    public sealed class Handler(IEventLog log, ITaskRepository tasks, IModuleStateRepository states, IResultRepository results)
        : IRequestHandler<GetRequestTimeline, Answer<Timeline>>
    {
        /// <summary>Of the newest events: a reply holds no more.</summary>
        private const int MostEvents = 1_000;

        /// <summary>Of the agents' states, the latest: beside the events, a reply holds no more.</summary>
        private const int MostStates = 1_000;
        private const int MostBytesOfStates = 512 * 1024;

        public async Task<Answer<Timeline>> Handle(GetRequestTimeline query, CancellationToken cancellationToken)
        {
            // All of them lie in one partition.
            var requestId = query.RequestId;
            var task = tasks.FindBare(requestId, cancellationToken);
            var stated = states.List(new StateFilter(RequestId: requestId), new PageRequest(MostStates, string.Empty), cancellationToken);
            var stored = results.FindOfRequest(requestId, cancellationToken);
            var list = await log.SearchPartitionOf(requestId, EventFilter.Any with { RequestId = requestId }, MostEvents, cancellationToken);
            var events = list.Events.Select(LoggedEvent.Parse).ToArray();
            var timeline = new Timeline(requestId, events, await task, Fitting((await stated).Items), await stored)
            {
                SearchedBackTo = list.SearchedBackTo ?? (list.Next is null ? null : events[^1].At),
            };
            return timeline.IsKnown ? timeline : new Refusal(RefusalCode.NotFound, $"nothing is known of request '{requestId}'");
        }

        /// <summary>The latest that fit into the reply, but one at least.</summary>
        private static IReadOnlyList<ModuleState> Fitting(IReadOnlyList<ModuleState> states)
        {
            long bytes = 0;
            return
            [
                .. states.TakeWhile((state, i) =>
                {
                    bytes += state.ErrorMessage.Length + state.Details.Sum(detail => detail.Key.Length + detail.Value.Length);
                    return i == 0 || bytes <= MostBytesOfStates;
                }),
            ];
        }
    }
}
