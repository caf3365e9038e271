using System.Globalization;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>What the scripts and commands answer, as the port's words. What is not known throws.</summary>
internal static class RedisAnswers
{
    public static CommitOutcome OutcomeOf(RedisResult answer)
    {
        if (answer.Length < 0)
        {
            return (int)answer == 0 ? CommitOutcome.Done.Instance : throw Unknown("commit.lua", answer);
        }

        var parts = (RedisResult[])answer!;
        return (int)parts[0] switch
        {
            1 => new CommitOutcome.Marked((byte[])parts[1]!),
            2 => new CommitOutcome.Conflict(RecordOf([.. parts.Skip(1).Select(field => (RedisValue)field)])),
            _ => throw Unknown("commit.lua", parts[0]),
        };
    }

    public static IReadOnlyList<Delivery> DeliveriesOf(RedisResult[] answer)
    {
        const int FieldsOfOne = 6;
        var leasedUntil = DateTimeOffset.FromUnixTimeMilliseconds((long)answer[^1]);
        return
        [
            .. answer[..^1].Chunk(FieldsOfOne).Select(field => new Delivery(
                (string)field[0]!,
                (long)field[1],
                new StoredRecord((long)field[2], (byte[])field[3]!, (byte[]?)field[4], (long)field[5], leasedUntil))),
        ];
    }

    public static StoredRecord? RecordOf(RedisValue[] fields) => fields[0].IsNull
        ? null
        : new StoredRecord(
            (long)fields[0],
            fields[1],
            fields[2],
            (long)fields[3],
            fields[4].IsNull ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)fields[4]));

    /// <param name="fields">As layout.lua answers them: none where the store was never used.</param>
    public static StoreLayout? LayoutOf(ReadOnlySpan<RedisValue> fields)
    {
        const int FromBeforeItWasRecorded = 1;
        return fields[0].IsNull
            ? null
            : new StoreLayout((int)fields[0], fields[1].IsNull ? FromBeforeItWasRecorded : (int)fields[1], fields[2]);
    }

    public static IndexEntry EntryOf(StoreKey index, SortedSetEntry entry) =>
        new(index.Partition, entry.Element!, (long)entry.Score);

    /// <param name="pairs">Member and score of each, in a row.</param>
    public static IndexEntry[] EntriesOf(int partition, RedisValue[] pairs)
    {
        var entries = new IndexEntry[pairs.Length / 2];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new IndexEntry(partition, pairs[2 * i]!, (long)pairs[(2 * i) + 1]);
        }

        return entries;
    }

    /// <param name="answers">Of probe.lua, of some partitions each.</param>
    public static Pulse PulseOf(IReadOnlyList<RedisValue[]> answers, int deadlines)
    {
        const int Layout = 5;
        const int Deadlines = Layout + 1;
        return new Pulse(
            [
                .. Enumerable.Range(Deadlines, deadlines).Select(i => answers
                    .Where(answer => !answer[i].IsNullOrEmpty)
                    .Min(answer => (long?)answer[i])),
            ],
            [
                .. answers.SelectMany(answer => answer[(Deadlines + deadlines)..].Chunk(2)).Select(turn =>
                    new Turn(QueueOf((string)turn[0]!), Bands.DueOf((long)turn[1]))),
            ])
        {
            CutAt = answers.Where(answer => !answer[Layout].IsNullOrEmpty).Min(answer => (long?)answer[Layout]),
        };
    }

    /// <summary>As agent_queues.lua publishes it: when it is due, and the queue.</summary>
    public static Turn TurnOf(string told)
    {
        var (due, lane) = Numbered(told);
        return new Turn(lane, due);
    }

    /// <summary>The queue of a member of tasks:pending, which is "agent:module:id".</summary>
    private static string QueueOf(string member) => member[..member.IndexOf(':', member.IndexOf(':', StringComparison.Ordinal) + 1)];

    /// <summary>The delivery that has ended, as task_record.lua reports it; null: it is another message.</summary>
    public static (long LeaseToken, string TaskId)? EndOf(string told) =>
        told.Contains(' ', StringComparison.Ordinal) ? Numbered(told) : null;

    private static (long Number, string Name) Numbered(string told)
    {
        var space = told.IndexOf(' ', StringComparison.Ordinal);
        return (long.Parse(told.AsSpan(0, space), CultureInfo.InvariantCulture), told[(space + 1)..]);
    }

    private static InvalidOperationException Unknown(string script, RedisResult answer) => new($"{script} answered {answer}");
}
