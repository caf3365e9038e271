namespace Dbos.Model.Tests.Model;

/// <summary>
/// An instant that the store's clock chose while a call ran: the model knows only that it lies between two that the
/// test saw. Once the store has told it, it is exact.
/// </summary>
internal readonly record struct Span(DateTimeOffset From, DateTimeOffset To)
{
    public static Span At(DateTimeOffset instant) => new(instant, instant);

    public static Span operator +(Span span, TimeSpan later) => new(span.From + later, span.To + later);

    public bool Contains(DateTimeOffset instant) => From <= instant && instant <= To;

    /// <summary>The exact instant; only of a span that was told.</summary>
    public DateTimeOffset Instant => From == To ? From : throw new InvalidOperationException($"{this} was not told yet");

    public long Milliseconds => Instant.ToUnixTimeMilliseconds();

    public override string ToString() => $"{From:O} to {To:O}";
}
