using System.Security.Cryptography;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.Tasks;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>The keys and arguments of the scripts, in the order that the head of each script says.</summary>
internal sealed partial class ScriptWriter(StoreSettings settings, TimeProvider clock, TaskChannels channels)
{
    /// <summary>
    /// Is never written. While a slot is on its way from one node of a cluster to another, Redis refuses a script as a
    /// whole if one of its keys is missing; if none is, it runs it and refuses the first call to a key that the script
    /// itself has just emptied: half a commit. This one is always missing.
    /// </summary>
    private const string AbsentKey = "absent";

    private readonly RedisKeys keys = new(settings);


    public (RedisKey[] Keys, RedisValue[] Values) Commit(IReadOnlyList<Commit> commits)
    {
        var partition = commits[0].Partition;
        var now = clock.GetUtcNow();
        var names = new List<RedisKey>(4 + (8 * commits.Count));
        var values = new List<RedisValue>(7 + (32 * commits.Count));
        StartEach(partition, now, names, values);
        values.Add(now.ToUnixTimeMilliseconds());
        values.Add((long)Turn.Horizon.TotalMilliseconds);
        values.Add(channels.Due);
        values.Add(commits.Count);
        foreach (var commit in commits)
        {
            Write(commit, names, values);
        }

        return ([.. names], [.. values]);
    }

    public (RedisKey[] Keys, RedisValue[] Values) Take(Take take)
    {
        var names = new List<RedisKey>(16 + take.Candidates.Count);
        var values = new List<RedisValue>(32 + (2 * take.Candidates.Count));
        StartEach(take.Partition, clock.GetUtcNow(), names, values);
        values.Add((long)Turn.Horizon.TotalMilliseconds);
        values.Add(channels.Due);
        values.Add(take.Due);
        values.Add((long)take.Lease.TotalMilliseconds);
        values.Add(take.Limit);
        values.Add(take.ByteBudget);
        values.Add(take.AtLeastOne);
        values.Add(take.Told.Head);
        values.Add(take.Told.Middle);
        values.Add(take.Told.Tail);
        values.Add(take.Count);
        values.Add(take.TellsEnd ? channels.Ends : RedisValue.EmptyString);
        values.Add(take.ServedAt);

        var numbers = new Dictionary<TakeSource, int>(ReferenceEqualityComparer.Instance);
        foreach (var source in take.Candidates.Select(candidate => candidate.Source))
        {
            numbers.TryAdd(source, numbers.Count + 1);
        }

        values.Add(numbers.Count);
        foreach (var source in numbers.Keys)
        {
            Write(source, take.Partition, names, values);
        }

        foreach (var candidate in take.Candidates)
        {
            names.Add(keys.Of(take.Partition, candidate.Record));
            values.Add(candidate.Member);
            values.Add(numbers[candidate.Source]);
        }

        return ([.. names], [.. values]);
    }

    /// <param name="call">Published to this process; null: nothing is.</param>
    public (RedisKey[] Keys, RedisValue[] Values) Probe(Watch watch, int[] partitions, long? call) =>
    (
        [
            keys.Of(partitions[0], RedisKeys.Layout),
            .. from partition in partitions
               from name in new[] { RedisKeys.Probe, watch.Turns }.Concat(watch.Deadlines)
               select keys.Of(partition, name),
        ],
        [
            partitions.Length, watch.Deadlines.Count, watch.From, watch.UpTo, watch.MostOfABand, Bands.Count, Bands.Width,
            channels.Ends, call ?? RedisValue.EmptyString,
        ]);

    private void StartEach(int partition, DateTimeOffset now, List<RedisKey> names, List<RedisValue> values)
    {
        names.Add(keys.Of(partition, Names.Events(EventLogName.History)));
        names.Add(keys.Of(partition, Names.Counts(null)));
        names.Add(keys.Of(partition, Names.Counts(CountBuckets.Of(now))));
        names.Add(keys.Of(partition, AbsentKey));
        values.Add(settings.OfPartition(settings.EventRetention));
        values.Add(RedisValue.EmptyString);
        values.Add((long)CountBuckets.Kept.TotalSeconds);
    }

    private void Write(Commit commit, List<RedisKey> names, List<RedisValue> values)
    {
        var partition = commit.Partition;
        var record = keys.Of(partition, commit.Record);
        names.Add(record);
        names.Add(commit.Mark is { } mark ? keys.Of(partition, mark.Name) : record);

        values.Add(commit.ExpectedVersion);
        values.Add(commit.Document);
        values.Add(commit.Payload ?? default);
        values.Add(commit.Deletes);
        values.Add(!commit.Lease.IsChange ? RedisValue.EmptyString : commit.Lease.HeldUntil?.ToUnixTimeMilliseconds() ?? 0);
        values.Add(commit.Mark?.Value ?? default);
        values.Add(Math.Max(1, (long)(commit.Mark?.Lifetime.TotalSeconds ?? 1)));
        values.Add(commit.Events.Count);
        values.Add(commit.Indexes.Count);
        values.Add(commit.Lanes.Count);
        values.Add(commit.Counts.Count);
        foreach (var told in commit.Events)
        {
            values.Add(told);
        }

        Write(commit.Indexes, commit.Lanes, partition, names, values);
        foreach (var count in commit.Counts)
        {
            values.Add(count);
        }
    }

    private void Write(
        IReadOnlyList<IndexChange> indexes, IReadOnlyList<LaneChange> lanes, int partition, List<RedisKey> names, List<RedisValue> values)
    {
        foreach (var change in indexes)
        {
            names.Add(keys.Of(partition, change.Index));
            values.Add(change.Score is { } score ? score : RedisValue.EmptyString);
            values.Add(change.Member);
        }

        foreach (var (lane, band, member, due) in lanes)
        {
            names.Add(keys.Of(partition, lane.Index));
            names.AddRange(lane.Turns.Select(turns => keys.Of(partition, turns)));
            values.Add(due is { } at ? at : RedisValue.EmptyString);
            values.Add(member);
            WriteBand(lane, band, values);
            values.Add(lane.Turns.Count);
        }
    }

    private void Write(TakeSource source, int partition, List<RedisKey> names, List<RedisValue> values)
    {
        var (lane, band, owner, leaves, enters) = source;
        values.Add(lane.Turns.Count);
        values.Add(leaves.Count);
        values.Add(enters.Count);
        WriteBand(lane, band, values);
        values.Add(owner);
        names.Add(keys.Of(partition, lane.Index));
        names.AddRange(lane.Turns.Concat(leaves).Concat(enters).Select(name => keys.Of(partition, name)));
    }

    private static void WriteBand(Lane lane, int band, List<RedisValue> values)
    {
        values.Add(Bands.Score(band, 0));
        values.Add(Bands.Score(band + 1, 0));
        values.Add(lane.TurnOf(band));
    }
}

