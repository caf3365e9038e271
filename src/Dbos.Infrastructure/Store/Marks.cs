using System.Globalization;
using System.Text;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// What a mark of an idempotency key holds: what the first call was answered, its version, and the fingerprint of what it
/// asked for.
/// </summary>
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

/// <summary>A mark as it is stored.</summary>
/// <param name="Lifetime">What is left of it.</param>
internal sealed record StoredMark(string Name, ReadOnlyMemory<byte> Value, TimeSpan Lifetime);

/// <summary>A counter over all time, of all partitions together.</summary>
internal sealed record StoredCounter(string Name, long Amount);

/// <summary>Counters are kept over all time and, for a while, in buckets of time, of which rates are made.</summary>
public static class CountBuckets
{
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(3);

    public static long Of(DateTimeOffset instant) => instant.ToUnixTimeSeconds() / (long)Length.TotalSeconds;
}
