using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Events;

/// <summary>Tells of events as they happen: what it answers is to be read for as long as the caller listens.</summary>
/// <param name="After">The place of a batch, an event's id, or empty: now.</param>
public sealed record WatchEvents(EventFilter Filter, string After) : IQuery<IAsyncEnumerable<EventBatch>>
{
    public string RefusedEvent => EventTypes.EventReadError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<WatchEvents>
    {
        public Validator()
        {
            this.IsFilter(query => query.Filter);
            RuleFor(query => query.After)
                .Must(after => after.Length == 0 || EventPlace.IsEvent(after) || EventPlace.Parse(after) is not null)
                .WithMessage((_, value) => WrongPlace(value));
        }
    }

    public sealed class Handler(IEventLog events) : IRequestHandler<WatchEvents, Answer<IAsyncEnumerable<EventBatch>>>
    {
        public Task<Answer<IAsyncEnumerable<EventBatch>>> Handle(WatchEvents query, CancellationToken cancellationToken) =>
            Task.FromResult(EventPlace.Parse(query.After) is not { } place || events.Has(place)
                ? Answers.Of(events.Watch(query.Filter, query.After, cancellationToken))
                : new Refusal(RefusalCode.Validation, WrongPlace(query.After)));
    }

    private static string WrongPlace(string after) => Rules.Sentence("after", "must be a resume_token, or the id of an event", after);
}

/// <summary>Events, oldest first.</summary>
/// <param name="Place">Behind the last of them.</param>
public sealed record EventBatch(IReadOnlyList<ReadOnlyMemory<byte>> Events, EventPlace? Place)
{
    /// <summary>Why nothing follows.</summary>
    public Refusal? Refusal { get; private init; }

    public static EventBatch NoLongerKept(string after) => new([], Place: null)
    {
        Refusal = new Refusal(
            RefusalCode.NoLongerKept, Rules.Sentence("after", "must be as new as the events that are still kept (EVENT_RETENTION)", after)),
    };
}
