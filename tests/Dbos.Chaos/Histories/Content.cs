using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;

namespace Dbos.Chaos.Histories;

/// <summary>Fingerprints of what a caller told, as sent and as stored.</summary>
internal static class Content
{
    private const int Digits = 16;

    public static string Of(MeasurementResult result) => Of(result.Data.Span);

    public static string Of(WireTask task) => Of(task.Payload.Span);

    public static string Of(ModuleState state) => Of(new ModuleState(state) { Version = 0 }.ToByteArray());

    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    private static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..Digits];
}
