using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dbos.Chaos.Faults;

namespace Dbos.Chaos.Histories;

/// <summary>Every call and its answer, as the clients tell them, by one clock.</summary>
internal sealed class History
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
    };

    private readonly List<Call> calls = [];
    private readonly long began = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset beganAt = DateTimeOffset.UtcNow;
    private long latestId;

    public TimeSpan Now => Stopwatch.GetElapsedTime(began);

    public IReadOnlyList<Call> Calls
    {
        get
        {
            lock (calls)
            {
                return [.. calls];
            }
        }
    }

    /// <summary>An instant that DBOS told: its store runs on this machine, and has its clock.</summary>
    /// <param name="told">Unix seconds.</param>
    public TimeSpan At(long told) => DateTimeOffset.FromUnixTimeSeconds(told) - beganAt;

    public long NextId() => Interlocked.Increment(ref latestId);

    public void Add(IEnumerable<Call> heard)
    {
        lock (calls)
        {
            calls.AddRange(heard);
        }
    }

    /// <summary>One JSON object on each line: the calls in the order in which they ended, then the faults.</summary>
    public void Write(string path, IEnumerable<MadeFault> faults) => File.WriteAllLines(
        path,
        [.. Calls.Select(call => JsonSerializer.Serialize(call, Json)), .. faults.Select(fault => JsonSerializer.Serialize(fault, Json))]);
}
