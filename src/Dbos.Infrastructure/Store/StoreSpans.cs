using System.Diagnostics;
using System.Net;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// One client span for each time that an engine is asked, by OpenTelemetry's conventions for databases: what is asked
/// again after a brief outage has one for each trial. What no traced call asks, as the probe of each second, has none.
/// </summary>
internal static class StoreSpans
{
    public static bool AreWanted => Activity.Current is { IsAllDataRequested: true };

    /// <summary>Null: nobody keeps it.</summary>
    /// <param name="script">Its name, where it is one that the operation runs.</param>
    public static Activity? Start(string system, string operation, int partition, string? script = null)
    {
        var span = AreWanted
            ? Spans.Source.StartActivity(script is null ? operation : $"{operation} {script}", ActivityKind.Client)
            : null;
        return span?
            .SetTag("db.system.name", system)
            .SetTag("db.operation.name", operation)
            .SetTag("db.stored_procedure.name", script)
            .SetTag("dbos.partition", partition);
    }

    public static void TellServer(this Activity span, EndPoint? server)
    {
        var (address, port) = server switch
        {
            IPEndPoint ip => (ip.Address.ToString(), ip.Port),
            DnsEndPoint dns => (dns.Host, dns.Port),
            _ => (null, 0),
        };
        if (address is not null)
        {
            span.SetTag("server.address", address).SetTag("server.port", port);
        }
    }

    /// <summary>What stood in the way is in an outage what caused it.</summary>
    public static void Fail(this Activity span, Exception error) => span.Fail((error.InnerException ?? error).GetType().FullName!);
}
