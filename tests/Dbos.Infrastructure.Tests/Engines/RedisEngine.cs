using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>One redis-server.</summary>
public sealed class RedisEngine : AnyRedisEngine
{
    public string[] ServerOptions { get; init; } = [];

    public RedisServer Server { get; private set; } = null!;

    protected override string Address => Server.Address;

    protected override async Task StartRedis() => Server = await RedisServer.Start(ServerOptions);

    protected override async Task StopRedis() => await Server.DisposeAsync();
}
