using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;

namespace Dbos.Model.Tests.Model;

/// <summary>How a write is answered: refused, done, or a duplicate, which may say other things than the first.</summary>
internal sealed record Reply(RefusalCode? Refused, bool Duplicate = false, bool ContentDiffers = false)
{
    public static readonly Reply Done = new(Refused: null);

    public static readonly Reply Replay = new(Refused: null, Duplicate: true);

    public static Reply Of(Answer<Written> answer) => answer.IsRefused
        ? new Reply(answer.Refusal.Code)
        : new Reply(null, answer.Value.Duplicate, answer.Value.ContentDiffers);

    public static implicit operator Reply(RefusalCode code) => new(code);
}
