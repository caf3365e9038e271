using System.Text.Json;
using System.Text.Json.Serialization;
using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>What is known of a task that failed or was cancelled: few tasks have it, so it is one column.</summary>
internal sealed record FailureLog(string LastError, string DeadLetterReason, IReadOnlyList<TaskFailure> History)
{
    /// <returns>Null: nothing has failed.</returns>
    public static string? Write(MeasurementTask task) =>
        task.LastError.Length == 0 && task.DeadLetterReason.Length == 0 && task.History.Count == 0
            ? null
            : JsonSerializer.Serialize(
                new FailureLog(task.LastError, task.DeadLetterReason, task.History), FailureLogJson.Default.FailureLog);

    public static MeasurementTask AddTo(MeasurementTask task, string written)
    {
        var log = JsonSerializer.Deserialize(written, FailureLogJson.Default.FailureLog)!;
        return task with { LastError = log.LastError, DeadLetterReason = log.DeadLetterReason, History = log.History };
    }

    /// <summary>Transitions that add nothing to it leave the column alone.</summary>
    public static bool IsSame(MeasurementTask left, MeasurementTask right) =>
        ReferenceEquals(left.History, right.History)
        && left.LastError == right.LastError
        && left.DeadLetterReason == right.DeadLetterReason;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FailureLog))]
internal sealed partial class FailureLogJson : JsonSerializerContext;
