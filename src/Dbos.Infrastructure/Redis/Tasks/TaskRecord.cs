using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>A task as its record in Redis holds it: task_record.lua names the fields.</summary>
internal static class TaskRecord
{
    /// <summary>No stream holds the delivery.</summary>
    public const string NoHolder = "-";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>One for each thread, as a document is written in one go.</summary>
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? ofThread;

    /// <summary>The fields "state" and "fixed".</summary>
    /// <param name="operation">The id of the operation that writes it.</param>
    public static (RedisValue State, RedisValue Fixed) Encode(MeasurementTask task, RedisValue operation)
    {
        var (document, subjectLength) = Fixed(task);
        var state = string.Create(
            CultureInfo.InvariantCulture,
            $"{task.Status.Word()} {task.LeaseToken} {task.Deliveries} {task.VisibleAt.ToUnixTimeMilliseconds()} {task.Failures} {task.Expiries} {task.EndedAt?.ToUnixTimeMilliseconds() ?? 0} {NoHolder} {operation} {document.Length + task.Payload.Length} {subjectLength} {QueueNames.Of(task.AgentId, task.ModuleName)} {BandOf(task)} {task.Retry.MaxRetries} {task.Retry.MaxExpiries} {task.ScheduledAt * 1000}");
        return (state, document);
    }

    /// <summary>The highest priority is the first band.</summary>
    public static int BandOf(MeasurementTask task) => MeasurementTask.HighestPriority - task.Priority;

    /// <summary>The field "errors"; empty: there is none.</summary>
    public static RedisValue EncodeErrors(MeasurementTask task)
    {
        if (task.LastError.Length == 0 && task.History.Count == 0)
        {
            return RedisValue.EmptyString;
        }

        var errors = new TaskErrors(
            task.LastError,
            task.DeadLetterReason.Length > 0 ? task.DeadLetterReason : null,
            task.History.Count > 0 ? [.. task.History.Select(one => new TaskErrors.Failure(one.LeaseToken, one.FailedAt, one.Kind, one.Error))] : null);
        return JsonSerializer.SerializeToUtf8Bytes(errors, TaskErrorsJson.Default.TaskErrors);
    }

    /// <param name="state">Its words in the order of STATE in task_record.lua.</param>
    /// <param name="payload">Null: it was not read.</param>
    public static MeasurementTask Decode(RedisResult state, RedisResult document, RedisResult? payload, RedisResult errors)
    {
        var words = ((string)state!).Split(' ');
        var known = (byte[])document!;
        var (id, agent, module, created, traceParent) = ReadFixed(known);
        var task = new MeasurementTask(
            id,
            agent,
            module,
            payload is null ? default : (byte[]?)payload,
            Number(words[15]) / 1000,
            created,
            MeasurementTaskStatusWords.Parse(words[0])!.Value,
            DateTimeOffset.FromUnixTimeMilliseconds(Number(words[3])),
            new RetryPolicy((int)Number(words[13]), (int)Number(words[14])),
            LeaseToken: Number(words[1]))
        {
            Deliveries = Number(words[2]),
            Failures = (int)Number(words[4]),
            Expiries = (int)Number(words[5]),
            EndedAt = Number(words[6]) is > 0 and var ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : null,
            Priority = MeasurementTask.HighestPriority - (int)Number(words[12]),
            TraceParent = traceParent,
        };
        return (byte[]?)errors is { Length: > 0 } json ? WithErrors(task, json) : task;
    }

    private static MeasurementTask WithErrors(MeasurementTask task, byte[] json)
    {
        var errors = JsonSerializer.Deserialize(json, TaskErrorsJson.Default.TaskErrors)!;
        return task with
        {
            LastError = errors.LastError ?? string.Empty,
            DeadLetterReason = errors.DeadLetterReason ?? string.Empty,
            History = [.. (errors.History ?? []).Select(one => new TaskFailure(one.LeaseToken, one.FailedAt, one.Kind, one.Error))],
        };
    }

    /// <summary>Begins with what events record of the task.</summary>
    private static (byte[] Document, int SubjectLength) Fixed(MeasurementTask task)
    {
        var (buffer, json) = ofThread ??= NewWriter();
        buffer.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WriteString(Names.TaskId, task.Id);
        json.WriteString(Names.AgentId, task.AgentId);
        json.WriteString(Names.ModuleName, task.ModuleName);
        var subjectLength = (int)(json.BytesCommitted + json.BytesPending) - 1;
        json.WriteNumber("created_at", task.CreatedAt);
        if (task.TraceParent is { } traceParent)
        {
            json.WriteString("trace_parent", traceParent);
        }

        json.WriteEndObject();
        json.Flush();
        return (buffer.WrittenSpan.ToArray(), subjectLength);
    }

    private static (string Id, string Agent, string Module, long Created, string? TraceParent) ReadFixed(byte[] document)
    {
        var json = new Utf8JsonReader(document);
        json.Read();
        var (id, agent, module, created, traceParent) = (string.Empty, string.Empty, string.Empty, 0L, (string?)null);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(Names.TaskId))
            {
                json.Read();
                id = json.GetString()!;
            }
            else if (json.ValueTextEquals(Names.AgentId))
            {
                json.Read();
                agent = json.GetString()!;
            }
            else if (json.ValueTextEquals(Names.ModuleName))
            {
                json.Read();
                module = json.GetString()!;
            }
            else if (json.ValueTextEquals("created_at"u8))
            {
                json.Read();
                created = json.GetInt64();
            }
            else if (json.ValueTextEquals("trace_parent"u8))
            {
                json.Read();
                traceParent = json.GetString();
            }
        }

        return (id, agent, module, created, traceParent);
    }

    private static long Number(string word) => long.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture);

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json) NewWriter()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        return (buffer, new Utf8JsonWriter(buffer, Relaxed));
    }
}
