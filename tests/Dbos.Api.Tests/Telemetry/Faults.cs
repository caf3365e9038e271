namespace Dbos.Api.Tests.Telemetry;

internal static class Faults
{
    /// <summary>The record is there, but is no record: whoever reads it has a fault, and not an outage.</summary>
    public static async Task MakeUnreadable(this RedisServer redis, string agentId)
    {
        var key = await redis.Ask("keys", $"*}}:agent:{agentId}");
        await redis.Ask("set", key, "no record");
    }
}
