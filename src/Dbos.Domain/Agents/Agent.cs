using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.Agents;

/// <summary>
/// An agent as its heartbeats describe it. A caller loses the first-seen time and the heartbeat count whenever it
/// restarts, so a heartbeat is merged into what is known.
/// </summary>
/// <param name="Alive">As last reported, and not yet found to be silent.</param>
/// <param name="LastSeen">Unix seconds; so is <paramref name="FirstSeen"/>.</param>
/// <param name="HeardAt">When the latest heartbeat arrived, to the millisecond.</param>
public sealed record Agent(
    string Id,
    string Hostname,
    bool Alive,
    long LastSeen,
    long FirstSeen,
    AgentConfig Config,
    HeartbeatCount Heartbeats,
    DateTimeOffset HeardAt,
    long Version)
{
    private const int MostChanges = 100;

    /// <summary>When it was connected and lost, oldest first; the latest of them.</summary>
    public IReadOnlyList<AgentChange> Changes { get; init; } = [];

    /// <summary>As a reader sees it: alive was told, and is still true while it is heard of within the timeout.</summary>
    public Agent AsOf(DateTimeOffset now, TimeSpan timeout) => this with
    {
        Alive = Alive && now - HeardAt < timeout,
        LastSeen = Math.Min(LastSeen, now.ToUnixTimeSeconds()),
    };

    /// <param name="timeout">Silence after which it was lost, whether a sweep has come upon it or not.</param>
    public static Decision<Agent> Hear(Agent? known, Heartbeat told, DateTimeOffset now, TimeSpan timeout)
    {
        now = ToMilliseconds(now);
        var seconds = now.ToUnixTimeSeconds();
        var lastSeen = told.LastSeen > 0 ? Math.Min(told.LastSeen, seconds) : seconds;
        return known is null ? Register(told, lastSeen, now) : known.Merge(told, lastSeen, now, timeout);
    }

    /// <summary>Nothing was heard for the timeout. A replay if it was heard of after all, or is lost already.</summary>
    public Decision<Agent> Lose(DateTimeOffset now, TimeSpan timeout)
    {
        if (!Alive || now - HeardAt < timeout)
        {
            return Decision.Replay(this);
        }

        var lost = (this with { Alive = false, Version = Version + 1 }).With(new AgentChange(HeardAt + timeout, Alive: false, AgentChange.Timeout));
        var silence = ((long)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return Decision.To(lost, lost.Tell(EventTypes.AgentLost, $"lost: not heard of for {silence} s", ("cause", AgentChange.Timeout)));
    }

    /// <summary>
    /// What becomes of an agent whose deadline has passed, or lies further ahead than it can: it is lost, or it gets a new deadline, as the
    /// timeout was changed or the clock was set back. An instant in the future cannot be the time of a heartbeat, and counts as now.
    /// </summary>
    public Decision<Agent> CheckDeadline(DateTimeOffset now, TimeSpan timeout)
    {
        var lost = Lose(now, timeout);
        return Alive && lost.IsReplay
            ? Decision.To(this with { HeardAt = Earlier(HeardAt, ToMilliseconds(now)), Version = Version + 1 })
            : lost;
    }

    private static Decision<Agent> Register(Heartbeat told, long lastSeen, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds();
        var first = new Agent(
            told.AgentId,
            told.Hostname,
            told.Alive,
            lastSeen,
            told.FirstSeen > 0 ? Math.Min(told.FirstSeen, seconds) : seconds,
            new AgentConfig(told.Config),
            HeartbeatCount.First(told.TotalHeartbeats, lastSeen),
            now,
            Version: 1)
        {
            Changes = [new AgentChange(now, told.Alive, told.Alive ? AgentChange.Registered : AgentChange.Reported)],
        };
        var registered = first.Tell(EventTypes.AgentRegistered, "registered");
        return first.Alive ? Decision.To(first, registered) : Decision.To(first, registered, first.TellReported());
    }

    private Decision<Agent> Merge(Heartbeat told, long lastSeen, DateTimeOffset now, TimeSpan timeout)
    {
        var before = Lose(now, timeout);
        var newest = Math.Min(LastSeen, now.ToUnixTimeSeconds());
        var config = told.Config.Count > 0 ? Config.Hear(told.Config) : new ConfigChange(Config, []);
        var next = before.Next with
        {
            Hostname = told.Hostname.Length > 0 ? told.Hostname : Hostname,
            Alive = told.Alive,
            LastSeen = Math.Max(newest, lastSeen),
            FirstSeen = told.FirstSeen > 0 ? Math.Min(FirstSeen, told.FirstSeen) : FirstSeen,
            Config = config.Next,
            Heartbeats = Heartbeats.Hear(told.TotalHeartbeats, lastSeen, newest),
            HeardAt = now,
            Version = Version + 1,
        };
        if (next.Alive != before.Next.Alive || before.Next.Changes.Count == 0)
        {
            // An agent that was stored before changes were kept has its first one now.
            next = next.With(new AgentChange(now, next.Alive, next.Alive ? AgentChange.Heard : AgentChange.Reported));
        }

        return Decision.To(next, [.. before.Events, .. next.WhatChangedSince(before.Next, config.ChangedKeys)]);
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static DateTimeOffset ToMilliseconds(DateTimeOffset instant) =>
        DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());

    private Agent With(AgentChange change) => this with
    {
        Changes = [.. Changes.Skip(Math.Max(0, Changes.Count + 1 - MostChanges)), change],
    };

    /// <param name="configKeys">The keys only: values are large, and no business of a log.</param>
    private IEnumerable<AuditEvent> WhatChangedSince(Agent known, IReadOnlyList<string> configKeys)
    {
        if (Alive != known.Alive)
        {
            yield return Alive
                ? Tell(EventTypes.AgentBack, "back")
                : TellReported();
        }

        if (Hostname != known.Hostname)
        {
            yield return Tell(
                EventTypes.AgentChanged, "moved to another host", ("hostname", Hostname), ("previous_hostname", known.Hostname));
        }

        if (configKeys.Count > 0)
        {
            yield return Tell(EventTypes.AgentChanged, "changed its config", ("config_keys", string.Join(", ", configKeys)));
        }
    }

    private AuditEvent TellReported() => Tell(EventTypes.AgentLost, "lost: reported as not alive", ("cause", AgentChange.Reported));

    private AuditEvent Tell(string type, string what, params (string, string)[] more) =>
        new(type, $"agent {Id} {what}", [(Names.AgentId, Id), .. more]);
}
