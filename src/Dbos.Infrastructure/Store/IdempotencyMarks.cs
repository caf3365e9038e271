using System.Globalization;
using System.Text;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Store;

public sealed class IdempotencyMarks(IStore store) : IIdempotencyMarks
{
    public async Task<FirstAnswer?> Find(IdempotencyMark mark, string recordId, CancellationToken cancellation)
    {
        var key = new StoreKey(store.PartitionOf(recordId), Names.Mark(mark.Name));
        return await store.FindMark(key, cancellation) is { } found ? MarkValue.Read(found.Value.Span, mark.Content) : null;
    }
}

/// <summary>A mark holds what the first call was answered, its version, and the fingerprint of what it said.</summary>
internal static class MarkValue
{
    public static byte[] Write(long version, ContentHash content) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{version} {content}"));

    public static FirstAnswer Read(ReadOnlySpan<byte> value, ContentHash content)
    {
        var text = Encoding.ASCII.GetString(value);
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var version = long.Parse(text.AsSpan(0, space), CultureInfo.InvariantCulture);
        return new FirstAnswer(version, ContentDiffers: text[(space + 1)..] != content.ToString());
    }
}
