namespace Dbos.Domain;

public static class Text
{
    /// <summary>At most so many characters, the last of them not half of a pair.</summary>
    public static string CutShort(this string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
}
