using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>
/// Moves all that a store holds into a file, and from there into another store, of the other engine or of another
/// number of partitions. See docs/decisions/0013-export-and-import.md.
/// </summary>
public sealed class StoreTransfer(IStore store, ISubjectTransfer<ExportedEvent> events, IStoreLayout layout, StoreSettings settings, TimeProvider clock)
{
    /// <exception cref="LayoutMismatchException">The store cannot be read as configured.</exception>
    /// <exception cref="TransferRefusedException">It is empty.</exception>
    public async Task<ExportReport> Export(string path)
    {
        var found = await layout.Open(CancellationToken.None);
        found.CheckWhole(settings);
        var isServed = await layout.IsServed(CancellationToken.None);
        await using var contents = ContentsOf(found, isServed).GetAsyncEnumerator();
        if (!await contents.MoveNextAsync())
        {
            throw new TransferRefusedException($"{settings.Subject} is empty: there is nothing to export");
        }

        var written = await new ExportFile(path).Write(Rest(contents), clock.GetUtcNow());
        return new ExportReport(written.Counts, isServed);
    }

    /// <summary>
    /// Takes out of the store all that it holds, once the file is known to hold it too. From then on the store is being
    /// moved: it is not served before the file was imported.
    /// </summary>
    public async Task Clear(string path)
    {
        var (found, tally) = await Begin(path);
        if (!found.IsMoving)
        {
            found.CheckWhole(settings);
            var held = await TallyOf(found);
            if (held.Digest != tally.Digest)
            {
                throw new TransferRefusedException(
                    $"{path} does not hold what {settings.Subject} holds now: export it again while no DBOS serves it");
            }
        }

        await layout.BeginMove(tally.Digest, CancellationToken.None);
    }

    /// <summary>Into a store that is empty or was begun to be moved with this file.</summary>
    /// <exception cref="TransferRefusedException">The store is another, or the file is not whole.</exception>
    public async Task<ImportReport> Import(string path)
    {
        var (found, tally) = await Begin(path);
        if (!found.IsMoving)
        {
            found.CheckWhole(settings);
            if (!await IsEmpty(found))
            {
                throw new TransferRefusedException($"{settings.Subject} is not empty: import into another, or clear it first");
            }
        }

        await layout.BeginMove(tally.Digest, CancellationToken.None);
        await new Restorer(store, events).Put(new ExportFile(path).ReadLines(new Tally()));
        var held = await TallyOf(await layout.Open(CancellationToken.None));
        var report = new ImportReport(tally.Counts, held.Counts, AreEqual: held.Digest == tally.Digest);
        if (report.AreEqual)
        {
            await layout.EndMove(CancellationToken.None);
        }

        return report;
    }

    /// <summary>Reads the file once from end to end, before anything is changed.</summary>
    private async Task<(StoreLayout Layout, Tally Tally)> Begin(string path)
    {
        var tally = await new ExportFile(path).ReadWhole();
        var found = await layout.Open(CancellationToken.None);
        if (await layout.IsServed(CancellationToken.None))
        {
            throw new TransferRefusedException($"{settings.Subject} is served by another DBOS: stop every DBOS that serves it");
        }

        if (found.IsMoving && found.MovedFrom != tally.Digest)
        {
            throw new TransferRefusedException($"{settings.Subject} is being moved with another file than {path}");
        }

        return (found, tally);
    }

    private IAsyncEnumerable<ExportLine> ContentsOf(StoreLayout found, bool isServed = false)
    {
        var contents = found.SchemaVersion == StoreLayout.CurrentSchema
            ? new StoreContents(store, events, isServed)
            : new StoreContents(layout.Older(found.SchemaVersion), layout.OlderEvents(found.SchemaVersion), isServed);
        return contents.Read();
    }

    private async Task<bool> IsEmpty(StoreLayout found)
    {
        await using var contents = ContentsOf(found).GetAsyncEnumerator();
        return !await contents.MoveNextAsync();
    }

    private async Task<Tally> TallyOf(StoreLayout found)
    {
        var tally = new Tally();
        await foreach (var line in ContentsOf(found))
        {
            tally.Add(line);
        }

        return tally;
    }

    private static async IAsyncEnumerable<ExportLine> Rest(IAsyncEnumerator<ExportLine> contents)
    {
        do
        {
            yield return contents.Current;
        }
        while (await contents.MoveNextAsync());
    }
}

/// <param name="Counts">How many of each kind were written into the file.</param>
/// <param name="WasServed">What was written meanwhile by another process is in the file, or not, or in part.</param>
public sealed record ExportReport(IReadOnlyDictionary<string, long> Counts, bool WasServed);

/// <param name="Before">How many of each kind the file holds.</param>
/// <param name="After">How many the store was found to hold.</param>
/// <param name="AreEqual">Not only in number.</param>
public sealed record ImportReport(
    IReadOnlyDictionary<string, long> Before, IReadOnlyDictionary<string, long> After, bool AreEqual);
