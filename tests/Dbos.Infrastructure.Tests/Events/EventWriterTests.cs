using System.Text;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Microsoft.Extensions.Time.Testing;

namespace Dbos.Infrastructure.Tests.Events;

public sealed class EventWriterTests
{
    private const string Odd = "\"é\\ \n \U0001F600 <&>";
    private static readonly Origin Origin = new("grpc:10.0.0.1", "4bf92f3577b34da6a3ce929d0e0e4736");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);

    private readonly FakeTimeProvider clock = new(Now);
    private readonly EventWriter writer;

    public EventWriterTests() => writer = new EventWriter(clock);

    [Fact]
    public void An_event_is_json_of_the_contracts_four_fields_and_four_more()
    {
        var told = Parse(writer.Write(new AuditEvent("result_stored", "stored", ("agent_id", "a1"), ("bytes", "3")), Origin).Span);

        told["id"].GetString().Should().MatchRegex("^[0-9a-f]{16}-[0-9a-f]{8}$");
        told.Where(field => field.Key != "id").Select(field => $"{field.Key} {field.Value.GetRawText()}").Should().Equal(
            "type \"result_stored\"",
            "message \"stored\"",
            """metadata {"agent_id":"a1","bytes":"3"}""",
            "timestamp 1700000000",
            "timestamp_ms 1700000000123",
            "trace_id \"4bf92f3577b34da6a3ce929d0e0e4736\"",
            "actor \"grpc:10.0.0.1\"");
    }

    [Fact]
    public void The_id_comes_first_as_readers_of_the_log_rely_on() =>
        Encoding.UTF8.GetString(writer.Write(new AuditEvent("t", "m"), Origin).Span).Should().StartWith("{\"id\":\"");

    [Fact]
    public void An_event_is_not_told_as_earlier_than_the_one_before_it_when_the_clock_is_set_back()
    {
        var before = Parse(writer.Write(new AuditEvent("t", "m"), Origin).Span);
        clock.AdjustTime(Now.AddMilliseconds(-5));
        var after = Parse(writer.Write(new AuditEvent("t", "m"), Origin).Span);

        after["timestamp_ms"].GetInt64().Should().Be(before["timestamp_ms"].GetInt64());
        after["id"].GetString().Should().Match(id => string.CompareOrdinal(id, before["id"].GetString()) > 0);
    }

    [Fact]
    public void Text_of_any_spelling_comes_back_as_it_was()
    {
        var told = Parse(writer.Write(new AuditEvent("t", Odd, (Odd, Odd)), Origin).Span);

        told["message"].GetString().Should().Be(Odd);
        told["metadata"].GetProperty(Odd).GetString().Should().Be(Odd);
    }

    [Fact]
    public void Around_what_the_store_fills_in_the_metadata_stays_whole()
    {
        var around = writer.WriteAround(new AuditEvent("tasks_retrieved", "taken", ("worker", "w1")), Origin, "lease_tokens", "agents");

        var told = Parse([.. around.Head.Span, .. """{"t1":1}"""u8, .. around.Middle.Span, .. """["a1"]"""u8, .. around.Tail.Span]);

        told["metadata"].GetRawText().Should().Be("""{"worker":"w1","lease_tokens":{"t1":1},"agents":["a1"]}""");
        told["actor"].GetString().Should().Be(Origin.Actor);
    }

    private static Dictionary<string, JsonElement> Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;
}
