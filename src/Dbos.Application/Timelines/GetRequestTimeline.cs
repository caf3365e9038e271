using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
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

        /// <summary>Of the event log: at the usual retention all of it.</summary>
        private const int MostSearches = 3;

        /// <summary>Of the agents' states, the latest: beside the events, a reply holds no more.</summary>
        private const int MostStates = 1_000;
        private const int MostBytesOfStates = 512 * 1024;

        /// <summary>Of results that no event tells of.</summary>
        private const int MostLookedFor = 100;

        /// <summary>Between the reports of different agents, whose ways to DBOS differ.</summary>
        private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

        public async Task<Answer<Timeline>> Handle(GetRequestTimeline query, CancellationToken cancellationToken)
        {
            var requestId = query.RequestId;
            var task = tasks.FindBare(requestId, cancellationToken);
            var stated = states.List(new StateFilter(RequestId: requestId), new PageRequest(MostStates, string.Empty), cancellationToken);
            var (events, searchedBackTo) = await Search(requestId, cancellationToken);
            await Task.WhenAll(task, stated);
            var ofAgents = Fitting((await stated).Items);

            // Results lie with their agents: those that no event tells of are looked for with the agents that are known.
            var told = events.Where(each => each.Type == EventTypes.ResultStored).Select(each => each[Names.AgentId]);
            string?[] agents = [(await task)?.AgentId, .. ofAgents.Select(state => state.AgentId)];
            var more = await Task.WhenAll(agents.Where(agent => !string.IsNullOrEmpty(agent)).Distinct().Except(told).Take(MostLookedFor)
                .Select(agent => results.Find(agent!, requestId, cancellationToken)));

            var timeline = new Timeline(requestId, events, await task, ofAgents, more.OfType<MeasurementResult>())
            {
                SearchedBackTo = searchedBackTo,
            };
            return timeline.Entries.Count > 0 ? timeline : new Refusal(RefusalCode.NotFound, $"nothing is known of request '{requestId}'");
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

        /// <summary>
        /// First where the events of its states and its task lie, all in one partition: if its beginning is there, the
        /// events of results, which lie anywhere, are looked for no further back.
        /// </summary>
        private async Task<(IReadOnlyList<LoggedEvent> Events, DateTimeOffset? SearchedBackTo)> Search(
            string requestId, CancellationToken cancellation)
        {
            var filter = EventFilter.Any with { RequestId = requestId };
            var own = (await log.SearchPartitionOf(requestId, filter, MostEvents, cancellation)).Events.Select(LoggedEvent.Parse).ToArray();
            if (own.LastOrDefault(IsBeginning) is { } beginning)
            {
                filter = filter with { Since = Math.Max(0, (beginning.At - Slack).ToUnixTimeSeconds()) };
            }

            var found = new List<LoggedEvent>();
            EventList? list;
            EventPlace? from = null;
            var searches = 0;
            do
            {
                // Null where all that is older has left the log meanwhile.
                list = await log.Search(filter, MostEvents - found.Count, from, cancellation);
                found.AddRange(list?.Events.Select(LoggedEvent.Parse) ?? []);
                from = list?.Next;
            }
            while (from is not null && found.Count < MostEvents && !list!.Cut && ++searches < MostSearches);

            // The search may have been given up before it came upon its own.
            var all = found.UnionBy(own, told => told.Id).OrderByDescending(told => told.Id.Order).Take(MostEvents);
            return ([.. all], from is null ? null : list!.SearchedBackTo ?? found[^1].At);
        }

        private static bool IsBeginning(LoggedEvent told) =>
            told.Type == EventTypes.TaskScheduled || (told.Type == EventTypes.ModuleStateUpdated && told.Number("version") == 1);
    }
}
