using System.Globalization;

namespace Dbos.Soak.Takers;

internal enum TakerKind
{
    /// <summary>ListDueTasks and AckTasks.</summary>
    Polling,

    /// <summary>StreamDueTasks and AckTask.</summary>
    Streaming,
}

/// <summary>What a taker process is told on its command line.</summary>
/// <param name="Module">Only its tasks; empty: of any module.</param>
internal sealed record TakerOrder(TakerKind Kind, long LeaseSeconds, string Module, string Journal, IReadOnlyList<string> Addresses)
{
    public IEnumerable<string> Arguments =>
        [Kind.ToString(), LeaseSeconds.ToString(CultureInfo.InvariantCulture), Module, Journal, .. Addresses];

    public static TakerOrder Parse(string[] arguments) => new(
        Enum.Parse<TakerKind>(arguments[0]),
        long.Parse(arguments[1], CultureInfo.InvariantCulture),
        arguments[2],
        arguments[3],
        arguments[4..]);
}
