using System.Text.Json.Serialization;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>The field "errors" of a task's record, which scripts write too.</summary>
internal sealed record TaskErrors(string? LastError, string? DeadLetterReason, IReadOnlyList<TaskErrors.Failure>? History)
{
    public sealed record Failure(long LeaseToken, long FailedAt, string Kind, string Error);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TaskErrors))]
internal sealed partial class TaskErrorsJson : JsonSerializerContext;
