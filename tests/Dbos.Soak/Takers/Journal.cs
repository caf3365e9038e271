using System.Globalization;
using System.Text;

namespace Dbos.Soak.Takers;

internal enum JournalWord
{
    /// <summary>Written before an acknowledgement is sent: from here on it may have been accepted.</summary>
    Sent,

    /// <summary>Written after it was accepted.</summary>
    Accepted,

    /// <summary>Accepted as a replay: an earlier one, whose answer was lost, was accepted.</summary>
    AcceptedBefore,

    LeaseLost,
    Refused,
    Extended,
    Nacked,
}

internal sealed record JournalEntry(JournalWord Word, string TaskId, long LeaseToken);

/// <summary>
/// A taker's own account of its acknowledgements, append-only. It survives kill -9 as each entry is one write; an
/// entry cut off at the end is one that was not written.
/// </summary>
internal sealed class Journal(string path) : IDisposable
{
    /// <summary>About: of the two entries that tell of one.</summary>
    public const int BytesOfAnAcknowledgement = 40;

    private readonly FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);

    public static IEnumerable<JournalEntry> Read(string path)
    {
        var text = File.ReadAllText(path);
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Select(words =>
            new JournalEntry(Enum.Parse<JournalWord>(words[0]), words[1], long.Parse(words[2], CultureInfo.InvariantCulture)));
    }

    public void Write(JournalWord word, WireTask task)
    {
        var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{word} {task.Id} {task.LeaseToken}\n"));
        lock (file)
        {
            file.Write(line);
        }
    }

    public void Dispose() => file.Dispose();
}
