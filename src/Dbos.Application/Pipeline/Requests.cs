using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>What every call of the service has in common.</summary>
public interface IDbosRequest
{
    /// <summary>Whom it is about, as event metadata; the first value is the id whose partition keeps the event.</summary>
    (string Name, string Value)[] Subject { get; }
}

public interface IQuery<TAnswer> : IDbosRequest, IRequest<Answer<TAnswer>>
{
    /// <summary>Of no use: refused reads are no events.</summary>
    string RefusedEvent => string.Empty;
}

public interface ICommand<TAnswer> : IDbosRequest, IRequest<Answer<TAnswer>>, ICommand;

/// <summary>Changes something: every refusal of it is an event.</summary>
public interface ICommand
{
    /// <summary>The type of that event.</summary>
    string RefusedEvent { get; }
}

/// <summary>A command that writes one record, and may safely be sent again.</summary>
public interface IWrite : ICommand<Written>
{
    /// <summary>The ids that name the record, to which an idempotency key is scoped; the first decides the partition.</summary>
    string[] RecordIds => [Subject[0].Value];

    /// <summary>What was sent again where <see cref="CommitContext.ReplayDiffered"/>, in words.</summary>
    string Repeated => GetType().Name;

    /// <summary>Detects that an idempotency key is used again for another command. Computed only where a key is named.</summary>
    ContentHash Content { get; }
}

/// <summary>What every write is answered.</summary>
/// <param name="Version">The version that the write made.</param>
/// <param name="Duplicate">Answered as the first call was; nothing was written.</param>
public readonly record struct Written(long Version, bool Duplicate)
{
    /// <summary>It asks for something else than what is stored, and the first is kept. Of a duplicate, and of an acknowledgement with a result.</summary>
    public bool ContentDiffers { get; init; }
}
