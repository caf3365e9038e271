using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;

namespace Dbos.Infrastructure.Events;

/// <summary>Writes audit events as the JSON that the log keeps.</summary>
public static class EventWriter
{
    private static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>One for each thread, as an event is written in one go.</summary>
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? ofThread;

    /// <summary>
    /// An event as JSON without its id, its time and its closing brace: the commit that stores it adds these (event_log.lua,
    /// SqliteEventTable).
    /// </summary>
    public static ReadOnlyMemory<byte> Body(AuditEvent told, Origin origin) => BodyAround(told, origin).Bytes;

    /// <summary>Likewise, for an event whose metadata gets further members in the commit, which stand between the two parts.</summary>
    public static EventParts Parts(AuditEvent told, Origin origin)
    {
        var (bytes, hole) = BodyAround(told, origin);
        return new EventParts(bytes.AsMemory(..hole), bytes.AsMemory(hole..));
    }

    private static (byte[] Bytes, int Hole) BodyAround(AuditEvent told, Origin origin)
    {
        var (buffer, json) = ofThread ??= NewWriter();
        buffer.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WriteString("type", told.Type);
        json.WriteString("message", told.Message);
        json.WriteStartObject("metadata");
        foreach (var (name, value) in told.Metadata)
        {
            json.WriteString(name, value);
        }

        var hole = (int)(json.BytesCommitted + json.BytesPending);
        json.WriteEndObject();
        json.WriteString("trace_id", origin.TraceId);
        json.WriteString("actor", origin.Actor);
        json.Flush();
        return (buffer.WrittenSpan.ToArray(), hole);
    }

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json) NewWriter()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new Utf8JsonWriter(buffer, Relaxed));
    }
}

/// <summary>The two parts of an event's body around the place where its metadata goes on.</summary>
public readonly record struct EventParts(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Tail);
