using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Testing;
using Microsoft.Extensions.Logging;
using NSubstitute;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>A lone Sentinel, of primaries that nobody has to connect to.</summary>
public sealed class SentinelFollowingTests
{
    private const string Service = "dbos";
    private const int Failures = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Following_goes_on_whatever_goes_wrong_and_that_is_told_once()
    {
        await using var sentinel = await RedisServer.Start("--sentinel");
        await Name(sentinel, port: 1);
        var used = new ConcurrentQueue<int>();
        var logger = Substitute.For<ILogger>();
        logger.IsEnabled(default).ReturnsForAnyArgs(true);
        await using var following = await Sentinels.Follow(
            ConfigurationOptions.Parse($"{sentinel.Address},serviceName={Service}"), options => Use(used, options), logger);

        await sentinel.Ask("sentinel", "remove", Service);
        await Name(sentinel, port: 2);

        await Eventually.True(() => used.Count == 2 + Failures, Patience, "the successor is used at last");
        used.Should().Equal([1, .. Enumerable.Repeat(2, Failures + 1)]);
        logger.ReceivedCalls().Where(call => call.GetMethodInfo().Name == nameof(ILogger.Log)).Should().ContainSingle();
    }

    private static Task Use(ConcurrentQueue<int> used, ConfigurationOptions options)
    {
        used.Enqueue(((IPEndPoint)options.EndPoints.Single()).Port);
        return used.Count is > 1 and <= 1 + Failures ? throw new InvalidOperationException("a fault") : Task.CompletedTask;
    }

    private static Task<string> Name(RedisServer sentinel, int port) =>
        sentinel.Ask("sentinel", "monitor", Service, "127.0.0.1", port.ToString(CultureInfo.InvariantCulture), "1");
}
