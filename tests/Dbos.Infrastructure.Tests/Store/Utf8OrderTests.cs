using System.Text;
using Dbos.Infrastructure.Store;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class Utf8OrderTests
{
    /// <summary>From every length of UTF-8, and from both sides of the surrogates.</summary>
    private static readonly Rune[] Runes =
        [.. new[] { 0x1, 0x41, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF }.Select(point => new Rune(point))];

    private static readonly Arbitrary<string> Texts = Gen.Elements(Runes)
        .ListOf()
        .Select(runes => string.Concat(runes.Take(6)))
        .ToArbitrary();

    [Property(MaxTest = 2_000)]
    public Property Strings_compare_as_their_UTF8_bytes_do() => Prop.ForAll(Texts, Texts, (left, right) =>
        ComparesAsBytes(left, right));

    [Fact]
    public void Every_pair_of_kinds_of_code_point_compares_as_its_bytes()
    {
        var pairs = from left in Runes from right in Runes select (Left: $"x{left}y", Right: $"x{right}y");

        pairs.Should().OnlyContain(pair => ComparesAsBytes(pair.Left, pair.Right));
    }

    private static bool ComparesAsBytes(string left, string right) =>
        Math.Sign(Utf8Order.Compare(left, right)) == Math.Sign(Bytes(left).AsSpan().SequenceCompareTo(Bytes(right)));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
