using System.Globalization;
using System.IO.Compression;
using System.Text;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Transfer;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Transfer;

/// <summary>An export as the DBOS of schema version 2 wrote it, with a record of every kind.</summary>
internal static class Schema2File
{
    public static readonly long Now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    public static readonly long LeasedUntil = (Now + 3_000) * 1_000;

    private static readonly string Instant = DateTimeOffset.FromUnixTimeSeconds(Now).ToString("O", CultureInfo.InvariantCulture);

    private static readonly ExportLine[] Lines =
    [
        Record("agent:a1", 5, $$"""{"id":"a1","hostname":"h","alive":true,"last_seen":{{Now}},"first_seen":{{Given.LongAgo}},"config":{"key":"value"},"total_heartbeats":7,"heard_at":"{{Instant}}","changes":[{"at":"{{Instant}}","alive":true,"cause":"registered"}]}"""),
        Record("state:r1", 2, State("r1", "running"), recency: 2_000_000),
        Record("life:a1:ping", 3, State("", "started"), recency: 1_000_000),
        Record("result:a1:r1", 1, Result("r1"), recency: 1_000_000, payload: "first"),
        Record("result:a1:r2", 1, Result("r2"), recency: 2_000_000, payload: "second"),
        Record("task:pending", 1, Task("pending", "pending", "\"priority\":7,"), payload: "work"),
        Record("task:held", 1, Task("held", "pending", string.Empty), deliveries: 4, leasedUntil: LeasedUntil, payload: "held work"),
        Record("task:completed", 2, Task("completed", "completed", $"\"ended_at\":\"{Instant}\","), deliveries: 1, payload: "done work"),
        Record("task:dead", 3, Task("dead", "failed", $$"""
            "failures":1,"last_error":"no route","dead_letter_reason":"max_retries","ended_at":"{{Instant}}","history":[{"lease_token":2,"failed_at":{{Now}},"kind":"nack","error":"no route"}],
            """.Trim()), deliveries: 2, payload: "dead work"),
        new MarkLine("mark:ScheduleTask:natural:pending:pending", Bytes("1 0123456789abcdef"), 5_000),
        new MarkLine("mark:ScheduleTask:named:pending:pending:k1", Bytes("1 0123456789abcdef"), 50_000_000),
        new CounterLine("scheduled", 44),
        new EventLine(EventLogName.History, Bytes(Event("1-1", "newest", 2))),
        new EventLine(EventLogName.History, Bytes(Event("1-0", "oldest", 1))),
        new EventLine(EventLogName.Refusals, Bytes(Event("2-0", "refused", 0))),
    ];

    /// <returns>The digest, by which a store that is moved names the file.</returns>
    public static async Task<string> Write(string path)
    {
        var tally = new Tally();
        Array.ForEach(Lines, tally.Add);
        await using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        foreach (var line in (ExportLine[])[new HeadLine(2, DateTimeOffset.UnixEpoch), .. Lines, new EndLine(tally.Counts, tally.Digest)])
        {
            await gzip.WriteAsync(line.ToUtf8());
            gzip.WriteByte((byte)'\n');
        }

        return tally.Digest;
    }

    private static RecordLine Record(
        string name, long version, string document, long deliveries = 0, long? leasedUntil = null, long? recency = null, string? payload = null) =>
        new(name, version, deliveries, leasedUntil, recency, Bytes(document), payload is null ? null : Bytes(payload));

    private static string State(string requestId, string state) =>
        $$"""{"agent_id":"a1","module_name":"ping","state":"{{state}}","error_message":"","details":{"k":"v"},"timestamp":{{Now}},"request_id":"{{requestId}}"}""";

    private static string Result(string id) =>
        $$"""{"id":"{{id}}","agent_id":"a1","module_name":"unknown","timestamp":{{Now}},"received_at":{{Now}},"agent_start_time":0,"agent_runtime_version":"","module_revision":"","dbos_server_id":"server-1","ingest_source":""}""";

    private static string Task(string id, string status, string more) =>
        $$"""{"id":"{{id}}","agent_id":"a1","module_name":"ping","scheduled_at":{{Given.LongAgo}},"created_at":{{Given.LongAgo}},"status":"{{status}}",{{more}}"retry":{"max_retries":3,"max_expiries":9},"visible_at":"{{DateTimeOffset.FromUnixTimeSeconds(Given.LongAgo):O}}"}""";

    private static string Event(string id, string message, int second) =>
        $$"""{"id":"{{id}}","type":"task_scheduled","message":"{{message}}","metadata":{},"timestamp":{{Given.LongAgo + second}},"timestamp_ms":{{Given.LongAgo + second}}000}""";

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
