using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>What lanes and their turns should hold, kept the plain way.</summary>
internal sealed class LaneModel
{
    private readonly Dictionary<(Lane Lane, int Band), Waiting> bands = [];

    public void Enter(Lane lane, int band, string member, long due) => Of(lane, band).Change(waiting => waiting[member] = due);

    public void Leave(Lane lane, int band, string member) => Of(lane, band).Change(waiting => waiting.Remove(member));

    public void Serve(Lane lane, int band, IEnumerable<string> members, long now)
    {
        var of = Of(lane, band);
        of.ServedAt = now;
        of.Change(waiting => members.ToList().ForEach(member => waiting.Remove(member)));
    }

    /// <summary>Null: its turn is that of its earliest member.</summary>
    public long? ServedAt(Lane lane, int band) => Of(lane, band).ServedAt;

    public IReadOnlyDictionary<string, long> MembersOf(Lane lane, int band) => Of(lane, band).Members;

    public IEnumerable<(string Member, long Score)> Entries(Lane lane) => Sorted(
        from one in bands
        where one.Key.Lane == lane
        from member in one.Value.Members
        select (member.Key, Bands.Score(one.Key.Band, member.Value)));

    public IEnumerable<(string Member, long Score)> Turns(string turns) => Sorted(
        from one in bands
        where one.Key.Lane.Turns.Contains(turns) && one.Value.Turn is not null
        select (one.Key.Lane.TurnOf(one.Key.Band), Bands.Score(one.Key.Band, one.Value.Turn!.Value)));

    private static IEnumerable<(string Member, long Score)> Sorted(IEnumerable<(string Member, long Score)> entries) =>
        entries.OrderBy(entry => entry.Score).ThenBy(entry => entry.Member, StringComparer.Ordinal);

    private Waiting Of(Lane lane, int band) =>
        bands.TryGetValue((lane, band), out var found) ? found : bands[(lane, band)] = new Waiting();

    private sealed class Waiting
    {
        private readonly Dictionary<string, long> members = [];

        public IReadOnlyDictionary<string, long> Members => members;

        /// <summary>Null: since then its turn came again.</summary>
        public long? ServedAt { get; set; }

        public long? Turn => members.Count == 0 ? null : Math.Max(Earliest, ServedAt ?? 0);

        private long Earliest => members.Values.Min();

        public void Change(Action<Dictionary<string, long>> change)
        {
            change(members);
            if (members.Count == 0 || Earliest >= ServedAt)
            {
                ServedAt = null;
            }
        }
    }
}
