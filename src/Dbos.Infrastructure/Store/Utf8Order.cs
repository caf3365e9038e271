namespace Dbos.Infrastructure.Store;

/// <summary>
/// Compares strings as both engines sort them, by their UTF-8 bytes. That is the order of UTF-16 units but
/// for surrogates, which stand for the highest code points and must sort last.
/// </summary>
public static class Utf8Order
{
    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        return common == left.Length || common == right.Length
            ? left.Length - right.Length
            : Rank(left[common]) - Rank(right[common]);
    }

    private static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
}
