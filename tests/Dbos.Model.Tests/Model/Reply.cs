using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;

namespace Dbos.Model.Tests.Model;

/// <summary>How a write is answered: refused, or the version and whether it is a duplicate.</summary>
internal sealed record Reply(RefusalCode? Refused, long Version = 0, bool Duplicate = false)
{
    public static Reply Of(Answer<Written> answer) => answer.IsRefused
        ? new Reply(answer.Refusal.Code)
        : new Reply(null, answer.Value.Version, answer.Value.Duplicate);

    public static Reply Done(long version) => new(null, version);

    public static Reply Replay(long version) => new(null, version, Duplicate: true);

    public static implicit operator Reply(RefusalCode code) => new(code);
}
