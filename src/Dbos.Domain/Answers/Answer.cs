using System.Diagnostics.CodeAnalysis;

namespace Dbos.Domain.Answers;

/// <summary>What every pipeline step can make without knowing the answer's value.</summary>
public interface IAnswer<TSelf>
    where TSelf : IAnswer<TSelf>
{
    Refusal? Refusal { get; }

    static abstract TSelf Refused(Refusal refusal);
}

public static class Answers
{
    /// <summary>For values of interface types, which have no conversion.</summary>
    public static Answer<T> Of<T>(T value) => Answer<T>.Of(value);
}

/// <summary>Either the value asked for or the refusal.</summary>
public readonly struct Answer<T> : IAnswer<Answer<T>>
{
    private readonly T? value;

    private Answer(T? value, Refusal? refusal)
    {
        this.value = value;
        Refusal = refusal;
    }

    public Refusal? Refusal { get; }

    [MemberNotNullWhen(true, nameof(Refusal))]
    public bool IsRefused => Refusal is not null;

    public T Value => IsRefused ? throw new InvalidOperationException($"refused: {Refusal.Sentence}") : value!;

    static Answer<T> IAnswer<Answer<T>>.Refused(Refusal refusal) => new(default, refusal);

    internal static Answer<T> Of(T value) => new(value, null);

    public static implicit operator Answer<T>(T value) => new(value, null);

    public static implicit operator Answer<T>(Refusal refusal) => new(default, refusal);
}
