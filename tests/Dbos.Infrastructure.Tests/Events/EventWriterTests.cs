using System.Text;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;

namespace Dbos.Infrastructure.Tests.Events;

public sealed class EventWriterTests
{
    private const string Odd = "\"é\\ \n \U0001F600 <&>";
    private static readonly Origin Origin = new("grpc:10.0.0.1", "4bf92f3577b34da6a3ce929d0e0e4736");

    [Fact]
    public void A_body_is_the_events_json_without_id_time_and_closing_brace() =>
        Text(EventWriter.Body(new AuditEvent("result_stored", "stored", ("agent_id", "a1"), ("bytes", "3")), Origin)).Should().Be(
            """
            {"type":"result_stored","message":"stored","metadata":{"agent_id":"a1","bytes":"3"},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","actor":"grpc:10.0.0.1"
            """);

    [Fact]
    public void Text_of_any_spelling_comes_back_as_it_was()
    {
        var read = Parse([.. EventWriter.Body(new AuditEvent("t", Odd, (Odd, Odd)), Origin).Span, (byte)'}']);

        read["message"].GetString().Should().Be(Odd);
        read["metadata"].GetProperty(Odd).GetString().Should().Be(Odd);
    }

    [Fact]
    public void Around_what_the_store_fills_in_the_metadata_stays_whole()
    {
        var parts = EventWriter.Parts(new AuditEvent("tasks_retrieved", "taken", ("worker", "w1")), Origin);

        var read = Parse([.. parts.Head.Span, .. ""","lease_tokens":{"t1":1},"agents":["a1"]"""u8, .. parts.Tail.Span, (byte)'}']);

        read["metadata"].GetRawText().Should().Be("""{"worker":"w1","lease_tokens":{"t1":1},"agents":["a1"]}""");
        read["actor"].GetString().Should().Be(Origin.Actor);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static Dictionary<string, JsonElement> Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;
}
