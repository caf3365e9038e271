using System.Text;

namespace Dbos.Application.Tests.Pipeline;

public sealed class RulesTests
{
    public static TheoryData<string?, bool> Ids => new()
    {
        { "a", true },
        { " ", true },
        { new string('x', 256), true },
        { null, false },
        { "", false },
        { new string('x', 257), false },
        { "a\tb", false },
        { "a\u007F", false },
        { "a\u0085", false },
    };

    [Theory]
    [MemberData(nameof(Ids))]
    public void An_id_has_1_to_256_characters_and_none_of_control(string? id, bool isId) => Rules.IsId(id).Should().Be(isId);

    [Theory]
    [InlineData("", "''")]
    [InlineData(null, "missing")]
    [InlineData(-7L, "-7")]
    [InlineData("a\rb", "'a\uFFFDb'")]
    public void A_sentence_names_the_field_the_rule_and_the_value(object? value, string shown) =>
        Rules.Sentence("field", "must be good", value).Should().Be($"field must be good, but is {shown}");

    [Fact]
    public void A_value_of_up_to_40_characters_is_shown_whole()
    {
        Rules.Sentence("field", "must be good", new string('x', 40)).Should().EndWith($"'{new string('x', 40)}'");
        Rules.Sentence("field", "must be good", new string('x', 41)).Should().EndWith($"'{new string('x', 40)}… (41 characters)'");
    }

    [Fact]
    public void A_value_is_not_cut_inside_a_character()
    {
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        var sentence = Rules.Sentence("field", "must be good", $"x{string.Concat(Enumerable.Repeat("\U0001F6F0", 40))}");

        strict.Invoking(encoding => encoding.GetBytes(sentence)).Should().NotThrow();
    }
}
