using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Events;

public sealed record GetEvents(long Limit) : IQuery<EventList>
{
    public const int MostEvents = 10_000;
    private const int DefaultLimit = 100;

    public string RefusedEvent => EventTypes.EventReadError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<GetEvents>
    {
        public Validator() => RuleFor(query => query.Limit).IsWithin("limit", 0, MostEvents);
    }

    public sealed class Handler(IEventLog events) : IRequestHandler<GetEvents, Answer<EventList>>
    {
        public async Task<Answer<EventList>> Handle(GetEvents query, CancellationToken cancellationToken) =>
            await events.Newest(query.Limit == 0 ? DefaultLimit : (int)query.Limit, cancellationToken);
    }
}
