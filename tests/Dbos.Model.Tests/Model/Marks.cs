using Dbos.Domain.Answers;

namespace Dbos.Model.Tests.Model;

/// <summary>The idempotency marks: what was done once under a key is answered as it was then.</summary>
internal sealed class Marks
{
    private readonly Dictionary<Mark, (object Content, long Version)> done = [];

    public Reply? Find(Mark? mark, object content)
    {
        if (mark is null || !done.TryGetValue(mark, out var first))
        {
            return null;
        }

        return mark.IsNamed && !first.Content.Equals(content) ? RefusalCode.IdempotencyKeyReused : Reply.Replay(first.Version);
    }

    public void Set(Mark? mark, object content, long version)
    {
        if (mark is not null)
        {
            done.Add(mark, (content, version));
        }
    }
}

/// <param name="IsNamed">The caller named the key; else it is the write's natural one.</param>
internal sealed record Mark(string Command, string TaskId, string Key, bool IsNamed);
