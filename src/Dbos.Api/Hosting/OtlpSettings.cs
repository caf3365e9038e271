using System.Globalization;
using OpenTelemetry.Exporter;

namespace Dbos.Api.Hosting;

/// <summary>
/// What the OTEL_ variables say of the exporter of one signal: each stands above what is said of all signals, which
/// OpenTelemetry reads itself. Empty is as if it were not set.
/// </summary>
/// <param name="signal">TRACES or METRICS.</param>
public sealed class OtlpSettings(IConfiguration configuration, string signal)
{
    /// <summary>It is to be sent, and it is known where to.</summary>
    /// <exception cref="SettingException">One of them has a value that DBOS cannot follow.</exception>
    public bool HasReceiver
    {
        get
        {
            Apply(new OtlpExporterOptions());
            return IsWanted && (OwnText("ENDPOINT") ?? Text("OTEL_EXPORTER_OTLP_ENDPOINT")) is not null;
        }
    }

    private bool IsWanted => One($"OTEL_{signal}_EXPORTER", ("otlp", true), ("none", false)) ?? true;

    /// <summary>An endpoint of the signal's own is taken as it is: no path is added to it.</summary>
    public void Apply(OtlpExporterOptions options)
    {
        options.Protocol = One(Own("PROTOCOL"), ("grpc", OtlpExportProtocol.Grpc), ("http/protobuf", OtlpExportProtocol.HttpProtobuf)) ?? options.Protocol;
        options.Compression = One(Own("COMPRESSION"), ("none", OtlpExportCompression.None), ("gzip", OtlpExportCompression.GZip)) ?? options.Compression;
        options.Headers = OwnText("HEADERS") ?? options.Headers;
        if (OwnText("TIMEOUT") is { } timeout)
        {
            options.TimeoutMilliseconds = int.TryParse(timeout, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
                ? milliseconds
                : throw new SettingException(Own("TIMEOUT"), "a whole number of milliseconds", timeout);
        }

        if (OwnText("ENDPOINT") is { } endpoint)
        {
            options.Endpoint = Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
                ? uri
                : throw new SettingException(Own("ENDPOINT"), "an http or https address", endpoint);
        }
    }

    private string Own(string what) => $"OTEL_EXPORTER_OTLP_{signal}_{what}";

    private string? OwnText(string what) => Text(Own(what));

    /// <summary>Null: it is not set.</summary>
    private string? Text(string name) => configuration[name] is { Length: > 0 } text ? text : null;

    private T? One<T>(string name, params (string Word, T Meaning)[] known)
        where T : struct
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        foreach (var (word, meaning) in known)
        {
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return meaning;
            }
        }

        throw new SettingException(name, string.Join(" or ", known.Select(one => $"'{one.Word}'")), text);
    }
}
