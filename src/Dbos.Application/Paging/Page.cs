using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Dbos.Application.Paging;

/// <summary>Which part of a list is asked for.</summary>
/// <param name="Size">0: the whole list, within the limits of one reply.</param>
/// <param name="Token">Of the page before; empty: from the start.</param>
public sealed record PageRequest(int Size, string Token)
{
    public const int MostItems = 10_000;

    /// <summary>What one reply may hold and every gRPC client still takes (its default limit is 4 MiB).</summary>
    public const int MostBytes = 3 * 1024 * 1024;

    public int Limit => Size == 0 ? MostItems : Size;

    public PageCursor? After => PageCursor.Parse(Token);
}

/// <param name="Next">Where the next page begins; null: this is the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, PageCursor? Next)
{
    public string NextToken => Next?.ToString() ?? string.Empty;

    /// <summary>Of all items together, about.</summary>
    public long Bytes { get; init; }
}

/// <summary>The place of the last item of a page in its list's order. Opaque to callers.</summary>
public sealed record PageCursor(long Score, string Member)
{
    /// <summary>Before the first item, where a list follows another on the same page.</summary>
    public static readonly PageCursor Start = new(0, string.Empty);

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Score}|{Member}")));

    public static PageCursor? Parse(string token)
    {
        if (token.Length == 0 || !Base64Url.IsValid(token))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token));
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 && long.TryParse(text.AsSpan(0, bar), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score)
            ? new PageCursor(score, text[(bar + 1)..])
            : null;
    }
}
