using System.Text;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Domain.ModuleStates;

namespace Dbos.Infrastructure.ModuleStates;

/// <summary>A page of a list while it is filled, in the list's order.</summary>
internal sealed class ModuleStatePage(StateFilter filter, PageRequest page)
{
    /// <summary>Of list entries, in one round.</summary>
    public const int MostAtOnce = 500;

    /// <summary>For a page of a list that has to be filtered.</summary>
    public const int MostLookedAt = 2_000;

    /// <summary>Of an item, beside its texts.</summary>
    private const int ItemBytes = 48;
    private const int DetailBytes = 16;

    private readonly List<ModuleState> items = [];
    private readonly bool isFiltered = filter.State is not null || (filter.RequestId.Length > 0 && filter.ModuleName.Length > 0);
    private long bytes;
    private int looked;

    /// <summary>Where the last entry that was looked at stands; null: at the start.</summary>
    public PageCursor? After { get; private set; } = page.After;

    public bool IsFull { get; private set; }

    /// <summary>How many entries are worth reading now.</summary>
    public int Wanted => isFiltered ? Math.Min(MostAtOnce, MostLookedAt + 1 - looked) : Math.Min(MostAtOnce, page.Limit + 1 - items.Count);

    /// <summary>The next entry of the list. It is left out if the page is full without it.</summary>
    /// <param name="state">Null: it is gone.</param>
    public void Add(ModuleState? state, PageCursor place)
    {
        var isWanted = state is not null
            && (filter.State is null || filter.State == state.State)
            && (filter.ModuleName.Length == 0 || filter.ModuleName == state.ModuleName);
        var size = isWanted ? SizeOf(state!) : 0;
        IsFull = (isFiltered && looked == MostLookedAt)
            || (isWanted && (items.Count == page.Limit || (items.Count > 0 && bytes + size > PageRequest.MostBytes)));
        if (IsFull)
        {
            return;
        }

        looked++;
        After = place;
        bytes += size;
        if (isWanted)
        {
            items.Add(state!);
        }
    }

    public Page<ModuleState> End() => new(items, IsFull ? After : null) { Bytes = bytes };

    private static long SizeOf(ModuleState state)
    {
        long size = ItemBytes + Bytes(state.AgentId) + Bytes(state.ModuleName) + Bytes(state.RequestId) + Bytes(state.ErrorMessage);
        foreach (var (name, value) in state.Details)
        {
            size += DetailBytes + Bytes(name) + Bytes(value);
        }

        return size;

        static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);
    }
}
