using System.Globalization;
using Dbos.Application.Paging;
using Dbos.Domain;
using FluentValidation;

namespace Dbos.Application.Pipeline;

/// <summary>
/// The rules that several requests share. Each sentence names the field as the wire does, the rule, and the
/// value cut short.
/// </summary>
public static class Rules
{
    public const int LongestId = 256;

    /// <summary>9999-12-31T23:59:59Z, the last second that every calendar library can tell.</summary>
    public const long LatestTime = 253_402_300_799;

    public const int MostInBatch = 1_000;

    private const int LongestShown = 40;
    private const int LongestReason = 4_096;
    private static readonly TimeSpan LongestLease = TimeSpan.FromHours(12);

    public static bool IsId(string? id) => id is { Length: >= 1 and <= LongestId } && !HasControl(id);

    public static string IdSentence(string field, string? value) =>
        Sentence(field, $"must be 1 to {LongestId} characters without control characters", value);

    public static IRuleBuilderOptions<T, string> IsId<T>(this IRuleBuilder<T, string> rule, string field) =>
        rule.Must(IsId).WithMessage((_, value) => IdSentence(field, value));

    public static IRuleBuilderOptions<T, string> IsIdOrEmpty<T>(this IRuleBuilder<T, string> rule, string field) =>
        rule.Must(value => value.Length == 0 || IsId(value))
            .WithMessage((_, value) => Sentence(field, $"must be empty or 1 to {LongestId} characters without control characters", value));

    public static IRuleBuilderOptions<T, long> IsTime<T>(this IRuleBuilder<T, long> rule, string field) =>
        rule.Must(value => value is >= 0 and <= LatestTime)
            .WithMessage((_, value) => Sentence(field, "must be Unix seconds from 0 to the year 9999", value));

    public static IRuleBuilderOptions<T, long> IsWithin<T>(this IRuleBuilder<T, long> rule, string field, long least, long most) =>
        rule.Must(value => value >= least && value <= most)
            .WithMessage((_, value) => Sentence(field, string.Create(CultureInfo.InvariantCulture, $"must be from {least} to {most}"), value));

    public static IRuleBuilderOptions<T, ReadOnlyMemory<byte>> IsAtMost<T>(
        this IRuleBuilder<T, ReadOnlyMemory<byte>> rule, string field, int most) =>
        rule.Must(value => value.Length <= most)
            .WithMessage((_, value) => Sentence(
                field, string.Create(CultureInfo.InvariantCulture, $"must be at most {most} bytes"), string.Create(CultureInfo.InvariantCulture, $"{value.Length} bytes")));

    public static IRuleBuilderOptions<T, TMessage?> IsGiven<T, TMessage>(this IRuleBuilder<T, TMessage?> rule, string field)
        where TMessage : class =>
        rule.NotNull().WithMessage($"{field} must be given, but is missing");

    public static IRuleBuilderOptions<T, long> IsLeaseDuration<T>(this IRuleBuilder<T, long> rule, string field) =>
        rule.IsWithin(field, 0, (long)LongestLease.TotalSeconds);

    public static IRuleBuilderOptions<T, string> IsReason<T>(this IRuleBuilder<T, string> rule, string field) =>
        rule.Must(reason => reason.Length <= LongestReason)
            .WithMessage((_, reason) => Sentence(field, $"must be at most {LongestReason} characters", reason));

    public static IRuleBuilderOptions<T, IReadOnlyList<TWrite>> IsBatch<T, TWrite>(
        this IRuleBuilder<T, IReadOnlyList<TWrite>> rule, string field) =>
        rule.Must(writes => writes.Count is >= 1 and <= MostInBatch)
            .WithMessage((_, writes) => Sentence(field, $"must be 1 to {MostInBatch}", writes.Count));

    public static void IsPage<T>(this AbstractValidator<T> validator, Func<T, PageRequest> page)
    {
        validator.RuleFor(request => (long)page(request).Size).IsWithin("page_size", 0, PageRequest.MostItems);
        validator.RuleFor(request => page(request).Token)
            .Must(token => token.Length == 0 || PageCursor.Parse(token) is not null)
            .WithMessage((_, value) => Sentence("page_token", "must be a next_page_token of this list", value));
    }

    public static string Sentence(string field, string rule, object? value) => $"{field} {rule}, but is {Shown(value)}";

    /// <summary>As <see cref="char.IsControl(char)"/> says, but many characters at a time.</summary>
    private static bool HasControl(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\0', '\u001F') || text.ContainsAnyInRange('\u007F', '\u009F');

    private static string Shown(object? value) => value switch
    {
        null => "missing",
        string { Length: > LongestShown } text => $"'{Printable(text.CutShort(LongestShown))}… ({text.Length} characters)'",
        string text => $"'{Printable(text)}'",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
