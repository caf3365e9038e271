using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.Agents;

/// <summary>
/// An agent as the heartbeats told it. The Python server forgets when an agent was first seen and how
/// often it was heard whenever it restarts, so a heartbeat merges and never takes back.
/// </summary>
public sealed record Agent(
    string Id,
    string Hostname,
    bool Alive,
    long LastSeen,
    long FirstSeen,
    IReadOnlyDictionary<string, string> Config,
    int TotalHeartbeats,
    DateTimeOffset HeardAt,
    long Version) : IVersioned
{
    private const int MostChanges = 100;

    /// <summary>When it was connected and lost, oldest first; the latest of them.</summary>
    public IReadOnlyList<AgentChange> Changes { get; init; } = [];

    /// <summary>As a reader sees it: alive was told, and is still true while it is heard of within the timeout.</summary>
    public Agent AsOf(DateTimeOffset now, TimeSpan timeout) => this with { Alive = Alive && now - HeardAt < timeout };

    /// <param name="timeout">Silence after which it was lost, whether a sweep has come upon it or not.</param>
    public static Decision<Agent> Hear(Agent? known, Heartbeat told, DateTimeOffset now, TimeSpan timeout)
    {
        var seconds = now.ToUnixTimeSeconds();
        if (known is null)
        {
            var first = new Agent(
                told.AgentId,
                told.Hostname,
                told.Alive,
                Told(told.LastSeen, seconds),
                Told(told.FirstSeen, seconds),
                told.Config,
                told.TotalHeartbeats,
                now,
                Version: 1)
            {
                Changes = [new AgentChange(now, told.Alive, told.Alive ? AgentChange.Registered : AgentChange.Reported)],
            };
            var registered = first.Tell(EventTypes.AgentRegistered, "registered");
            return first.Alive ? Decision.To(first, registered) : Decision.To(first, registered, first.TellReported());
        }

        var before = known.Lose(now, timeout);
        var next = before.Next with
        {
            Hostname = told.Hostname.Length > 0 ? told.Hostname : known.Hostname,
            Alive = told.Alive,
            LastSeen = Math.Max(known.LastSeen, Told(told.LastSeen, seconds)),
            FirstSeen = Math.Min(known.FirstSeen, Told(told.FirstSeen, known.FirstSeen)),
            Config = told.Config.Count > 0 ? told.Config : known.Config,
            TotalHeartbeats = Math.Max(known.TotalHeartbeats, told.TotalHeartbeats),
            HeardAt = now > known.HeardAt ? now : known.HeardAt,
            Version = known.Version + 1,
        };
        if (next.Alive != before.Next.Alive || before.Next.Changes.Count == 0)
        {
            // An agent that was stored before changes were kept has its first one now.
            next = next.With(new AgentChange(next.HeardAt, next.Alive, next.Alive ? AgentChange.Heard : AgentChange.Reported));
        }

        return Decision.To(next, [.. before.Events, .. next.WhatChangedSince(before.Next)]);
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

    private static long Told(long told, long otherwise) => told > 0 ? told : otherwise;

    private Agent With(AgentChange change) => this with
    {
        Changes = [.. Changes.Skip(Math.Max(0, Changes.Count + 1 - MostChanges)), change],
    };

    private IEnumerable<AuditEvent> WhatChangedSince(Agent known)
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

        var changed = ConfigKeysChangedSince(known.Config);
        if (changed.Count > 0)
        {
            yield return Tell(EventTypes.AgentChanged, "changed its config", ("config_keys", string.Join(", ", changed)));
        }
    }

    /// <summary>The keys only: values are large, and no business of a log.</summary>
    private List<string> ConfigKeysChangedSince(IReadOnlyDictionary<string, string> known)
    {
        if (ReferenceEquals(Config, known))
        {
            return [];
        }

        var changed = Config.Where(entry => !known.TryGetValue(entry.Key, out var was) || was != entry.Value).Select(entry => entry.Key);
        return [.. changed.Concat(known.Keys.Where(key => !Config.ContainsKey(key))).Order(StringComparer.Ordinal)];
    }

    private AuditEvent TellReported() => Tell(EventTypes.AgentLost, "lost: reported as not alive", ("cause", AgentChange.Reported));

    private AuditEvent Tell(string type, string what, params (string, string)[] more) =>
        new(type, $"agent {Id} {what}", [(Names.AgentId, Id), .. more]);
}
