using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Dbos.Testing.Otlp;

/// <summary>A span as it was exported, ids in hexadecimal.</summary>
public sealed class ExportedSpan(Resource resource, Span span)
{
    public string Name => span.Name;

    public Span.Types.SpanKind Kind => span.Kind;

    public bool IsError => span.Status?.Code == Status.Types.StatusCode.Error;

    public string TraceId => Hex(span.TraceId);

    public string SpanId => Hex(span.SpanId);

    /// <summary>Empty: it is the root of its trace, or of DBOS's part of it.</summary>
    public string ParentId => Hex(span.ParentSpanId);

    public IReadOnlyDictionary<string, string> Resource => Texts(resource.Attributes);

    public IReadOnlyDictionary<string, string> Attributes => Texts(span.Attributes);

    public IReadOnlyList<ExportedLink> Links =>
        [.. span.Links.Select(link => new ExportedLink(Hex(link.TraceId), Hex(link.SpanId), Texts(link.Attributes)))];

    public override string ToString() => span.ToString();

    private static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    private static Dictionary<string, string> Texts(RepeatedField<KeyValue> attributes) =>
        attributes.ToDictionary(attribute => attribute.Key, attribute => Text(attribute.Value));

    private static string Text(AnyValue value) => value.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => value.StringValue,
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}

public sealed record ExportedLink(string TraceId, string SpanId, IReadOnlyDictionary<string, string> Attributes);
