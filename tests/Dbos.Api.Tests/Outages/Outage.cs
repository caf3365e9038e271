namespace Dbos.Api.Tests.Outages;

/// <summary>What becomes of a Redis.</summary>
public enum Outage
{
    Killed,

    /// <summary>It keeps its connections and answers none.</summary>
    Paused,
}

public static class OutageActs
{
    public static Task Begin(this RedisServer redis, Outage outage)
    {
        if (outage == Outage.Killed)
        {
            return redis.Kill();
        }

        redis.Pause();
        return Task.CompletedTask;
    }

    public static Task End(this RedisServer redis, Outage outage)
    {
        if (outage == Outage.Killed)
        {
            return redis.Start();
        }

        redis.Resume();
        return Task.CompletedTask;
    }
}
