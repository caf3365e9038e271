using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class RedisDefaultsTests
{
    [Fact]
    public void What_an_address_does_not_say_is_as_DBOS_needs_it()
    {
        // Cloned, as for a primary that the Sentinels name.
        var options = RedisConnection.Options("localhost:6379").Clone();

        (options.AsyncTimeout, options.ConnectTimeout, options.ConfigCheckSeconds, options.ClientName).Should().Be((1_500, 2_000, 3, "dbos"));
        options.HeartbeatInterval.Should().Be(TimeSpan.FromMilliseconds(100));
        options.ReconnectRetryPolicy.Should().BeOfType<LinearRetry>();
    }

    [Fact]
    public void What_it_says_is_the_operators_word()
    {
        var options = RedisConnection.Options("localhost:6379,asyncTimeout=10000,connectTimeout=7000,configCheckSeconds=9,name=dbos-1").Clone();

        (options.AsyncTimeout, options.ConnectTimeout, options.ConfigCheckSeconds, options.ClientName).Should().Be((10_000, 7_000, 9, "dbos-1"));
    }

    [Fact]
    public void Nothing_in_it_makes_calls_queue_up_behind_an_outage()
    {
        var options = RedisConnection.Options("localhost:6379,abortConnect=true,allowAdmin=false");

        (options.AbortOnConnectFail, options.AllowAdmin, options.BacklogPolicy).Should().Be((false, true, BacklogPolicy.FailFast));
    }
}
