using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Events;

/// <summary>Writes events as the JSON that GetEvents answers, each with an id that sorts by time.</summary>
public sealed class EventWriter(TimeProvider clock)
{
    private static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly EventIds ids = new();

    public ReadOnlyMemory<byte> Write(AuditEvent told, Origin origin) => Write(told, origin, static _ => { }).Bytes;

    /// <summary>An event whose metadata ends with an object that the store fills in.</summary>
    public TakeEvent WriteAround(AuditEvent told, Origin origin, string objectName)
    {
        var (bytes, hole) = Write(told, origin, json => json.WritePropertyName(objectName));
        return new TakeEvent(bytes[..hole], bytes[hole..]);
    }

    private (ReadOnlyMemory<byte> Bytes, int Hole) Write(AuditEvent told, Origin origin, Action<Utf8JsonWriter> endMetadata)
    {
        var now = clock.GetUtcNow();
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        json.WriteString("id", ids.Next(now));
        json.WriteString("type", told.Type);
        json.WriteString("message", told.Message);
        json.WriteStartObject("metadata");
        foreach (var (name, value) in told.Metadata)
        {
            json.WriteString(name, value);
        }

        endMetadata(json);
        json.Flush();
        var hole = buffer.WrittenCount;
        json.WriteEndObject();
        json.WriteNumber("timestamp", now.ToUnixTimeSeconds());
        json.WriteNumber("timestamp_ms", now.ToUnixTimeMilliseconds());
        json.WriteString("trace_id", origin.TraceId);
        json.WriteString("actor", origin.Actor);
        json.WriteEndObject();
        json.Flush();
        return (buffer.WrittenMemory, hole);
    }
}
