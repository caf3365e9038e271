namespace Dbos.Model.Tests.Model;

/// <summary>The tasks of one agent's module with one priority, in one partition.</summary>
internal readonly record struct LaneBand(int Partition, string Agent, string Module, int Priority);

/// <summary>
/// When lanes were last taken from. Remembered as long as something in the lane was due before that: what comes due
/// later has its turn then.
/// </summary>
internal sealed class Turns
{
    private readonly Dictionary<LaneBand, Span> served = [];

    public void Serve(LaneBand lane, Span now) => served[lane] = now;

    public long? ServedAt(LaneBand lane) => served.TryGetValue(lane, out var at) ? at.Milliseconds : null;

    public IEnumerable<(LaneBand Lane, Span At)> All => served.Select(entry => (entry.Key, entry.Value));

    /// <summary>The store told the lane's turn.</summary>
    /// <param name="head">When the lane's earliest task is due.</param>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public string? Hear(LaneBand lane, long head, long turn)
    {
        if (!served.TryGetValue(lane, out var at) || turn == head)
        {
            served.Remove(lane);
            var mustBeLater = at != default && at.From.ToUnixTimeMilliseconds() > head;
            return turn == head && !mustBeLater ? null : $"the turn of {lane} is {turn}, not {(mustBeLater ? $"within {at}" : head)}";
        }

        var told = DateTimeOffset.FromUnixTimeMilliseconds(turn);
        served[lane] = Span.At(told);
        return turn > head && at.Contains(told) ? null : $"the turn of {lane} is {turn}, not within {at}, after its head {head}";
    }

    /// <summary>An empty lane is forgotten.</summary>
    public void ForgetAllBut(ICollection<LaneBand> lanes)
    {
        foreach (var lane in served.Keys.Except(lanes).ToArray())
        {
            served.Remove(lane);
        }
    }
}
