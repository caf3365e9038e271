using System.Globalization;

namespace Dbos.Testing;

/// <summary>Listens to what clients ask a Redis, and to what scripts call.</summary>
public sealed class RedisMonitor : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly RedisServer redis;
    private readonly ChildProcess cli;

    private RedisMonitor(RedisServer redis, ChildProcess cli) => (this.redis, this.cli) = (redis, cli);

    /// <summary>What clients sent so far, oldest first; what scripts called is not among it.</summary>
    public IReadOnlyList<string> Calls => [.. Lines.Where(line => !IsOfScript(line))];

    private IReadOnlyList<string> Lines => [.. cli.Output.Split('\n').Where(line => line.Contains(" [0 ", StringComparison.Ordinal))];

    public static async Task<RedisMonitor> Start(RedisServer redis)
    {
        var cli = ChildProcess.Start("redis-cli", ["-p", redis.Port.ToString(CultureInfo.InvariantCulture), "monitor"]);
        await Eventually.True(() => cli.Output.StartsWith("OK", StringComparison.Ordinal), Patience, "redis-cli monitors");
        return new RedisMonitor(redis, cli);
    }

    /// <returns>What clients sent and what scripts called meanwhile, each with its arguments.</returns>
    public async Task<(IReadOnlyList<string> Sent, IReadOnlyList<string> Called)> During(Func<Task> action)
    {
        var (begin, end) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        await redis.Ask("echo", begin);
        await action();
        await redis.Ask("echo", end);
        await Eventually.True(() => cli.Output.Contains(end, StringComparison.Ordinal), Patience, "redis-cli heard all");
        var lines = Lines.SkipWhile(line => !line.Contains(begin, StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.Contains(end, StringComparison.Ordinal)).ToArray();
        return ([.. lines.Where(line => !IsOfScript(line))], [.. lines.Where(IsOfScript)]);
    }

    public ValueTask DisposeAsync() => cli.DisposeAsync();

    private static bool IsOfScript(string line) => line.Contains(" [0 lua] ", StringComparison.Ordinal);
}
