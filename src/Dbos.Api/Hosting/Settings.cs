using System.Globalization;
using System.Security.Cryptography;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;

namespace Dbos.Api.Hosting;

/// <summary>All that an operator may set, by environment variable or in appsettings.json under the same name.</summary>
/// <param name="MetricsPort">Null: metrics are not served.</param>
public sealed record Settings(int Port, int? MetricsPort, int MaxCallsInFlight, DbosPolicy Policy, StoreSettings Store)
{
    private const int MiB = 1024 * 1024;

    /// <summary>Somewhat above the largest result, so that one just too large is still read and refused with a sentence.</summary>
    public int MostRequestBytes => (2 * Policy.MaxResultBytes) + (4 * MiB);

    public static Settings Read(IConfiguration configuration, bool isDevelopment)
    {
        var policy = new DbosPolicy { ServerId = Text("DBOS_SERVER_ID", RandomServerId()) };
        policy = policy with
        {
            AgentTimeout = Seconds("AGENT_TIMEOUT_SECONDS", policy.AgentTimeout),
            LeaseDuration = Seconds("LEASE_SECONDS", policy.LeaseDuration, most: 12 * 3600),
            MaxRetries = Number("MAX_RETRIES", policy.MaxRetries, 1, 1_000),
            MaxExpiries = Number("MAX_EXPIRIES", policy.MaxExpiries, 1, 1_000),
            RetryBackoff = new(
                Seconds("RETRY_BACKOFF_SECONDS", policy.RetryBackoff.Base),
                Seconds("RETRY_BACKOFF_CAP_SECONDS", policy.RetryBackoff.Cap)),
            CompletedTaskRetention = Seconds("COMPLETED_TASK_RETENTION_SECONDS", policy.CompletedTaskRetention),
            MaxResultBytes = Number("MAX_RESULT_BYTES", policy.MaxResultBytes, 1, 256 * MiB),
        };
        var replicas = Number("DURABILITY_REPLICAS", 1, 1, 16);
        var store = new StoreSettings { Address = Text("REDIS_ADDR", isDevelopment ? StoreSettings.Embedded : "localhost:6379") };
        store = store with
        {
            DataDirectory = Text("DATA_DIR", store.DataDirectory),
            KeyPrefix = Text("KEY_PREFIX", store.KeyPrefix),
            Partitions = IsGiven("PARTITIONS") ? Number("PARTITIONS", otherwise: 0, 1, 4_096) : null,
            EventRetention = Number("EVENT_RETENTION", store.EventRetention, 1, 100_000_000),
            Replicas = Text("DURABILITY", "local") switch
            {
                "local" => 0,
                "replicated" when store.IsEmbedded => throw new SettingException("DURABILITY", "'local', as the embedded store has no replicas", "replicated"),
                "replicated" => replicas,
                var other => throw new SettingException("DURABILITY", "'local' or 'replicated'", other),
            },
        };
        if (store.KeyPrefix.IndexOfAny(['{', '}', ':']) >= 0)
        {
            throw new SettingException("KEY_PREFIX", "without braces and colons", store.KeyPrefix);
        }

        CheckAddress(store);
        var port = Number("PORT", 50051, 1, 65_535);
        int? metricsPort = IsGiven("METRICS_PORT") ? Number("METRICS_PORT", otherwise: 0, 1, 65_535) : null;
        return metricsPort == port
            ? throw new SettingException("METRICS_PORT", "another port than PORT", configuration["METRICS_PORT"]!)
            : new Settings(port, metricsPort, Number("MAX_CALLS_IN_FLIGHT", 1_000, 1, 1_000_000), policy, store);

        bool IsGiven(string name) => !string.IsNullOrEmpty(configuration[name]);

        string Text(string name, string otherwise)
        {
            var value = configuration[name];
            return string.IsNullOrEmpty(value) ? otherwise
                : Rules.IsId(value) || name == "REDIS_ADDR" || name == "DATA_DIR" ? value
                : throw new SettingException(name, $"1 to {Rules.LongestId} characters without control characters", value);
        }

        int Number(string name, int otherwise, int least, int most)
        {
            var value = configuration[name];
            return string.IsNullOrEmpty(value) ? otherwise
                : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
                : throw new SettingException(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"), value);
        }

        TimeSpan Seconds(string name, TimeSpan otherwise, int most = 366 * 24 * 3600) =>
            TimeSpan.FromSeconds(Number(name, (int)otherwise.TotalSeconds, 1, most));
    }

    private static void CheckAddress(StoreSettings store)
    {
        if (store.IsEmbedded)
        {
            return;
        }

        try
        {
            if (RedisConnection.Options(store.Address).EndPoints.Count > 0)
            {
                return;
            }
        }
        catch (ArgumentException)
        {
            // Told below, without the client library's words.
        }

        // The value may hold a password.
        throw new SettingException("REDIS_ADDR", $"'{StoreSettings.Embedded}' or a StackExchange.Redis configuration string like 'localhost:6379'", store.Address.Split(',')[0]);
    }

    private static string RandomServerId() =>
        $"{Environment.MachineName}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}";
}
