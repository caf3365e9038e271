using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Events;

/// <param name="Limit">0: 100. What is beyond 10,000 is cut to it.</param>
/// <param name="PageToken">Of the page before; empty: from the newest.</param>
public sealed record GetEvents(long Limit, EventFilter Filter, string PageToken) : IQuery<EventList>
{
    public const int MostEvents = 10_000;
    private const int DefaultLimit = 100;

    public GetEvents(long limit)
        : this(limit, EventFilter.Any, string.Empty)
    {
    }

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<GetEvents>
    {
        public Validator()
        {
            RuleFor(query => query.Limit)
                .GreaterThanOrEqualTo(0)
                .WithMessage((_, limit) => Rules.Sentence("limit", "must be 0 or more", limit));
            this.IsFilter(query => query.Filter);
            RuleFor(query => query.PageToken)
                .Must(token => token.Length == 0 || EventPlace.Parse(token) is not null)
                .WithMessage((_, token) => Rules.Sentence("page_token", "must be a next_page_token of this list", token));
        }
    }

    public sealed class Handler(IEventLog events) : IRequestHandler<GetEvents, Answer<EventList>>
    {
        public async Task<Answer<EventList>> Handle(GetEvents query, CancellationToken cancellationToken)
        {
            var limit = query.Limit == 0 ? DefaultLimit : (int)Math.Min(query.Limit, MostEvents);
            return await events.Search(query.Filter, limit, EventPlace.Parse(query.PageToken), cancellationToken) is { } list
                ? list
                : EventPlace.NoLongerKept("page_token", query.PageToken);
        }
    }
}
