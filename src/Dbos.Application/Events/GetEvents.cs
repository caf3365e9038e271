using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Events;

/// <param name="PageToken">Of the page before; empty: from the newest.</param>
public sealed record GetEvents(long Limit, EventFilter Filter, string PageToken) : IQuery<EventList>
{
    public const int MostEvents = 10_000;
    private const int DefaultLimit = 100;

    public GetEvents(long limit)
        : this(limit, EventFilter.Any, string.Empty)
    {
    }

    public string RefusedEvent => EventTypes.EventReadError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<GetEvents>
    {
        public Validator()
        {
            RuleFor(query => query.Limit).IsWithin("limit", 0, MostEvents);
            this.IsFilter(query => query.Filter);
            RuleFor(query => query.PageToken)
                .Must(token => token.Length == 0 || EventPlace.Parse(token) is not null)
                .WithMessage((_, value) => WrongToken(value));
        }
    }

    public sealed class Handler(IEventLog events) : IRequestHandler<GetEvents, Answer<EventList>>
    {
        public async Task<Answer<EventList>> Handle(GetEvents query, CancellationToken cancellationToken)
        {
            var from = EventPlace.Parse(query.PageToken);
            return from is null || events.Has(from)
                ? await events.Search(query.Filter, query.Limit == 0 ? DefaultLimit : (int)query.Limit, from, cancellationToken)
                : new Refusal(RefusalCode.Validation, WrongToken(query.PageToken));
        }
    }

    private static string WrongToken(string token) => Rules.Sentence("page_token", "must be a next_page_token of this list", token);
}
