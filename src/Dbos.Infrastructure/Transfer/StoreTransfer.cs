using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>Moves all that a store holds into a file, and from there into another store (docs/decisions/0013-export-and-import.md).</summary>
public interface IStoreTransfer
{
    /// <exception cref="LayoutMismatchException">The store cannot be read as configured.</exception>
    /// <exception cref="TransferRefusedException">It is empty.</exception>
    Task<ExportReport> Export(string path);

    /// <summary>Removes all that the store holds, once the file is known to hold it too.</summary>
    /// <exception cref="TransferRefusedException">It does not.</exception>
    Task Clear(string path);

    /// <summary>Puts what the file holds into a store that is empty.</summary>
    /// <exception cref="TransferRefusedException">The store is another, or the file is not whole.</exception>
    Task<ImportReport> Import(string path);
}

/// <summary>
/// Moves all that a store holds into a file, and from there into another store, of the other engine or of another
/// number of partitions. See docs/decisions/0013-export-and-import.md.
/// </summary>
internal sealed class StoreTransfer(StoreContents contents, IStoreLayout layout, StoreSettings settings, TimeProvider clock) : IStoreTransfer
{
    /// <exception cref="LayoutMismatchException">The store cannot be read as configured.</exception>
    /// <exception cref="TransferRefusedException">It is empty.</exception>
    public async Task<ExportReport> Export(string path)
    {
        var found = await layout.Open(CancellationToken.None);
        found.CheckServable(settings);
        var isServed = await layout.IsServed(CancellationToken.None);
        await using var lines = contents.Read().GetAsyncEnumerator();
        if (!await lines.MoveNextAsync())
        {
            throw new TransferRefusedException($"{settings.Subject} is empty: there is nothing to export");
        }

        var written = await new ExportFile(path).Write(Rest(lines), clock.GetUtcNow());
        return new ExportReport(written.Counts, isServed);
    }

    /// <summary>
    /// Takes out of the store all that it holds, once the file is known to hold it too. From then on the store is being
    /// moved: it is not served before the file was imported.
    /// </summary>
    public async Task Clear(string path)
    {
        var (found, tally, digest) = await Begin(path);
        if (!found.IsMoving)
        {
            found.CheckServable(settings);
            var held = await TallyOfStore();
            if (held.Digest != tally.Digest)
            {
                throw new TransferRefusedException(
                    $"{path} does not hold what {settings.Subject} holds now: export it again while no DBOS serves it");
            }
        }

        await layout.BeginMove(digest, CancellationToken.None);
    }

    /// <summary>Into a store that is empty or was begun to be moved with this file.</summary>
    /// <exception cref="TransferRefusedException">The store is another, or the file is not whole.</exception>
    public async Task<ImportReport> Import(string path)
    {
        var (found, tally, digest) = await Begin(path);
        if (!found.IsMoving)
        {
            found.CheckServable(settings);
            if (!await IsEmpty())
            {
                throw new TransferRefusedException($"{settings.Subject} is not empty: import into another, or clear it first");
            }
        }

        await layout.BeginMove(digest, CancellationToken.None);
        await contents.Write(new ExportFile(path).ReadLines(new Tally()));
        var held = await TallyOfStore();
        var report = new ImportReport(tally.Counts, held.Counts, AreEqual: held.Digest == tally.Digest);
        if (report.AreEqual)
        {
            await layout.EndMove(CancellationToken.None);
        }

        return report;
    }

    /// <summary>Reads the file once from end to end, before anything is changed.</summary>
    private async Task<(StoreLayout Layout, Tally Tally, string Digest)> Begin(string path)
    {
        var file = new ExportFile(path);
        var tally = await file.ReadWhole();
        var found = await layout.Open(CancellationToken.None);
        if (await layout.IsServed(CancellationToken.None))
        {
            throw new TransferRefusedException($"{settings.Subject} is served by another DBOS: stop every DBOS that serves it");
        }

        if (found.IsMoving && found.MovedFrom != file.Digest)
        {
            throw new TransferRefusedException($"{settings.Subject} is being moved with another file than {path}");
        }

        return (found, tally, file.Digest);
    }

    private async Task<bool> IsEmpty()
    {
        await using var lines = contents.Read().GetAsyncEnumerator();
        return !await lines.MoveNextAsync();
    }

    private async Task<Tally> TallyOfStore()
    {
        var tally = new Tally();
        await foreach (var line in contents.Read())
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
