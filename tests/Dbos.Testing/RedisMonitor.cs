using System.Globalization;

namespace Dbos.Testing;

/// <summary>Listens to what clients ask a Redis.</summary>
public sealed class RedisMonitor : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private readonly ChildProcess cli;

    private RedisMonitor(ChildProcess cli) => this.cli = cli;

    /// <summary>What clients sent so far, oldest first; what scripts called is not among it.</summary>
    public IReadOnlyList<string> Calls =>
        [.. cli.Output.Split('\n').Where(line => line.Contains(" [0 ", StringComparison.Ordinal) && !line.Contains(" [0 lua] ", StringComparison.Ordinal))];

    public static async Task<RedisMonitor> Start(RedisServer redis)
    {
        var cli = ChildProcess.Start("redis-cli", ["-p", redis.Port.ToString(CultureInfo.InvariantCulture), "monitor"]);
        await Eventually.True(() => cli.Output.StartsWith("OK", StringComparison.Ordinal), StartPatience, "redis-cli monitors");
        return new RedisMonitor(cli);
    }

    public ValueTask DisposeAsync() => cli.DisposeAsync();
}
