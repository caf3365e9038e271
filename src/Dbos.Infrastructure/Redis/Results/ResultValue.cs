using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Redis.Results;

/// <summary>
/// A result as one value in Redis. result_record.lua says how it begins; what follows is the length of the data and the fields of
/// the document, numbers as variable-length integers and texts as their UTF-8 bytes behind their length, and the data at the end.
/// </summary>
internal static class ResultValue
{
    /// <summary>Bytes at the beginning of a value that have all of a <see cref="ResultSummary"/>, ids and names as long as they may be.</summary>
    public const int SummaryBytes = 4_096;

    private const int AgentLengthBytes = 2;
    private const int OperationBytes = 16;
    private const int HashBytes = 16;
    private const int LongestNumber = 10;
    private const int MostStackBytes = 512;

    /// <summary>What is known before the script runs: the hash of the data and all that follows.</summary>
    public static byte[] Write(MeasurementResult result)
    {
        ReadOnlySpan<string> texts = [result.AgentRuntimeVersion, result.ModuleRevision, result.DbosServerId, result.IngestSource];
        var most = (LongestNumber * (5 + texts.Length)) + Encoding.UTF8.GetMaxByteCount(result.ModuleName.Length);
        foreach (var text in texts)
        {
            most += Encoding.UTF8.GetMaxByteCount(text.Length);
        }

        var document = most <= MostStackBytes ? stackalloc byte[MostStackBytes] : new byte[most];
        var rest = document;
        Put(ref rest, result.Data.Length);
        Put(ref rest, result.ModuleName);
        Put(ref rest, result.ReceivedAt);
        Put(ref rest, result.Timestamp);
        Put(ref rest, result.AgentStartTime);
        foreach (var text in texts)
        {
            Put(ref rest, text);
        }

        document = document[..^rest.Length];
        var value = new byte[HashBytes + document.Length + result.Data.Length];
        XxHash128.Hash(result.Data.Span, value);
        document.CopyTo(value.AsSpan(HashBytes));
        result.Data.Span.CopyTo(value.AsSpan(HashBytes + document.Length));
        return value;
    }

    public static MeasurementResult Read(string id, ReadOnlyMemory<byte> value)
    {
        var rest = value.Span;
        var agentId = SkipToDocument(ref rest);
        var length = (int)Number(ref rest);
        var (moduleName, receivedAt, timestamp, startedAt) = (Text(ref rest), Number(ref rest), Number(ref rest), Number(ref rest));
        return new MeasurementResult(
            id, agentId, moduleName, value[^length..], timestamp, receivedAt, startedAt, Text(ref rest), Text(ref rest), Text(ref rest), Text(ref rest));
    }

    /// <param name="beginning">At least <see cref="SummaryBytes"/> of the value, or all of it.</param>
    public static ResultSummary ReadSummary(ReadOnlySpan<byte> beginning)
    {
        var agentId = SkipToDocument(ref beginning);
        var length = Number(ref beginning);
        return new ResultSummary(agentId, Text(ref beginning), length, Number(ref beginning));
    }

    private static string SkipToDocument(ref ReadOnlySpan<byte> value)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(value);
        var agentId = Names.Decode(Encoding.UTF8.GetString(value.Slice(AgentLengthBytes, length)));
        value = value[(AgentLengthBytes + length + OperationBytes + HashBytes)..];
        return agentId;
    }

    private static void Put(ref Span<byte> rest, long number)
    {
        var left = (ulong)number;
        var at = 0;
        for (; left >= 0x80; left >>= 7)
        {
            rest[at++] = (byte)(left | 0x80);
        }

        rest[at] = (byte)left;
        rest = rest[(at + 1)..];
    }

    private static void Put(ref Span<byte> rest, string text)
    {
        Put(ref rest, Encoding.UTF8.GetByteCount(text));
        rest = rest[Encoding.UTF8.GetBytes(text, rest)..];
    }

    private static long Number(ref ReadOnlySpan<byte> value)
    {
        var number = 0UL;
        var bits = 0;
        int at;
        for (at = 0; value[at] >= 0x80; at++, bits += 7)
        {
            number |= (ulong)(value[at] & 0x7F) << bits;
        }

        number |= (ulong)value[at] << bits;
        value = value[(at + 1)..];
        return (long)number;
    }

    private static string Text(ref ReadOnlySpan<byte> value)
    {
        var length = (int)Number(ref value);
        var text = Encoding.UTF8.GetString(value[..length]);
        value = value[length..];
        return text;
    }
}
