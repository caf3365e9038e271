using System.Globalization;
using System.Net;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Watching;

/// <summary>One DBOS on Redis, in Development, with its metrics port.</summary>
public class WatchedDeployment(int port) : Deployment(
    StoreKind.Redis,
    servers: 1,
    ("METRICS_PORT", port.ToString(CultureInfo.InvariantCulture)),
    ("DOTNET_ENVIRONMENT", "Development"))
{
    /// <summary>The store is asked every 5 s.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly HttpClient Http = new() { Timeout = Patience };

    public async Task<ExpositionPage> Page() => new(await Http.GetStringAsync(Url("/metrics")));

    public async Task<HttpStatusCode> StatusOf(string path)
    {
        using var answer = await Http.GetAsync(Url(path));
        return answer.StatusCode;
    }

    public Uri Url(string path) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}{path}"));
}
