using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Events;

/// <summary>Follows the event log: the answer is read for as long as the caller listens.</summary>
/// <param name="After">The place of a batch, an event's id, or empty: now.</param>
public sealed record WatchEvents(EventFilter Filter, string After) : IQuery<IAsyncEnumerable<EventBatch>>
{
    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<WatchEvents>
    {
        public Validator()
        {
            this.IsFilter(query => query.Filter);
            RuleFor(query => query.After)
                .Must(after => after.Length == 0 || EventId.Parse(after) is not null || EventPlace.Parse(after) is not null)
                .WithMessage((_, after) => Rules.Sentence("after", "must be a resume_token, or the id of an event", after));
        }
    }

    public sealed class Handler(IEventLog events) : IRequestHandler<WatchEvents, Answer<IAsyncEnumerable<EventBatch>>>
    {
        public Task<Answer<IAsyncEnumerable<EventBatch>>> Handle(WatchEvents query, CancellationToken cancellationToken) =>
            Task.FromResult(Answers.Of(events.Watch(query.Filter, query.After, cancellationToken)));
    }
}

/// <summary>Events, oldest first.</summary>
/// <param name="Place">Behind the last of them.</param>
public sealed record EventBatch(IReadOnlyList<ReadOnlyMemory<byte>> Events, EventPlace? Place)
{
    /// <summary>Why nothing follows; null: more may follow.</summary>
    public Refusal? Refusal { get; private init; }

    public static EventBatch NoLongerKept(string after) => new([], Place: null) { Refusal = EventPlace.NoLongerKept("after", after) };
}
