using System.Globalization;
using System.Text.Json;

namespace Dbos.Chaos.Histories;

/// <summary>One thing that the event log tells of one subject.</summary>
/// <param name="Number">The lease token or the version that it tells; 0: none.</param>
internal sealed record LoggedEvent(string Type, string Subject, long Number)
{
    public const string Delivered = "tasks_retrieved";
    public const string Released = "task_released";
    public const string StateUpdated = "module_state_updated";
    public const string ResultStored = "result_stored";

    /// <summary>A delivery of several tasks is one event in the log: here one for each.</summary>
    public static IEnumerable<LoggedEvent> Read(string json)
    {
        using var told = JsonDocument.Parse(json);
        var type = told.RootElement.GetProperty("type").GetString()!;
        var metadata = told.RootElement.GetProperty("metadata");
        if (type == Delivered)
        {
            return [.. metadata.GetProperty("lease_tokens").EnumerateObject().Select(task => new LoggedEvent(type, task.Name, task.Value.GetInt64()))];
        }

        var subject = type switch
        {
            StateUpdated => Subjects.OfState(Text("agent_id"), Text("module_name"), Text("request_id")),
            ResultStored => Subjects.OfResult(Text("agent_id"), Text("request_id")),
            _ => Text("task_id") is { Length: > 0 } taskId ? taskId : Text("agent_id"),
        };
        return [new LoggedEvent(type, subject, Number(type == StateUpdated ? "version" : "lease_token"))];

        string Text(string name) => metadata.TryGetProperty(name, out var value) ? value.ToString() : string.Empty;

        long Number(string name) => long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }
}
