using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>What a connection to Redis is like where the configuration string does not say otherwise.</summary>
internal sealed class RedisDefaults : DefaultOptionsProvider
{
    /// <summary>
    /// Of calls too. Callers are promised UNAVAILABLE within 3 s. Late calls are looked for at every heartbeat, so the patience
    /// with one is this and at most one heartbeat more; the rest is for trials before it and for the way back, as all calls in
    /// flight end at once.
    /// </summary>
    public override TimeSpan SyncTimeout => TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// Of the client alone, nothing is sent. Where the first attempt to connect again fails, the next is the heartbeat after
    /// the pause of the policy below: together less than retries go on for.
    /// </summary>
    public override TimeSpan HeartbeatInterval => TimeSpan.FromMilliseconds(100);

    /// <summary>Service is promised within 5 s of Redis's return, or of the promotion of a replica that is connected already.</summary>
    public override TimeSpan? ConnectTimeout => TimeSpan.FromSeconds(2);

    public override IReconnectRetryPolicy ReconnectRetryPolicy { get; } = new LinearRetry(500);

    public override TimeSpan ConfigCheckInterval => TimeSpan.FromSeconds(3);
}
