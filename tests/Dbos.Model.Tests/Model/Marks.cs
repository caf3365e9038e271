using Dbos.Domain.Answers;

namespace Dbos.Model.Tests.Model;

/// <summary>The idempotency keys that callers named: what was done once under a key is answered as it was then.</summary>
internal sealed class Marks
{
    private readonly Dictionary<Mark, object> done = [];

    public Reply? Find(Mark? mark, object content) =>
        mark is null || !done.TryGetValue(mark, out var first) ? null
        : first.Equals(content) ? Reply.Replay
        : RefusalCode.IdempotencyKeyReused;

    public void Set(Mark? mark, object content)
    {
        if (mark is not null)
        {
            done.Add(mark, content);
        }
    }
}

internal sealed record Mark(string Command, string TaskId, string Key);
