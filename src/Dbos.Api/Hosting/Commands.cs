using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Api.Hosting;

/// <summary>What the program does besides serving, on the store of the same settings: <c>export FILE</c>, <c>clear FILE</c>, <c>import FILE</c>.</summary>
public static class Commands
{
    private const int Done = 0;
    private const int Failed = 1;

    /// <summary>Nothing was done, as an earlier move has to be ended first; build/repartition goes on with that.</summary>
    private const int StoreIsMoving = 3;

    /// <summary>A first argument that is no option.</summary>
    public static bool AreIn(string[] arguments) => arguments is [[not '-', ..], ..];

    public static async Task<int> Run(string[] arguments, IServiceProvider services)
    {
        try
        {
            var transfer = services.GetRequiredService<IStoreTransfer>();
            return arguments switch
            {
                ["export", var file] => await Export(transfer, file),
                ["clear", var file] => await Clear(transfer, file),
                ["import", var file] => await Import(transfer, file),
                _ => await Refuse($"'{string.Join(' ', arguments)}' is no command: it is 'export FILE', 'clear FILE' or 'import FILE'"),
            };
        }
        catch (LayoutMismatchException mismatch) when (mismatch.IsMoving)
        {
            await Refuse(mismatch.Message);
            return StoreIsMoving;
        }
        catch (Exception error) when (error is LayoutMismatchException or TransferRefusedException or StoreUnavailableException
            or IOException or UnauthorizedAccessException)
        {
            return await Refuse(error.Message);
        }
    }

    private static async Task<int> Export(IStoreTransfer transfer, string file)
    {
        var report = await transfer.Export(file);
        foreach (var (kind, count) in report.Counts)
        {
            Console.WriteLine($"{kind,-20} {count,12}");
        }

        if (report.WasServed)
        {
            await Console.Error.WriteLineAsync("DBOS: the store is served: what was written meanwhile is in the file, or not, or in part");
        }

        return Done;
    }

    private static async Task<int> Clear(IStoreTransfer transfer, string file)
    {
        await transfer.Clear(file);
        return Done;
    }

    private static async Task<int> Import(IStoreTransfer transfer, string file)
    {
        var report = await transfer.Import(file);
        Console.WriteLine($"{string.Empty,-20} {"before",12} {"after",12}");
        foreach (var kind in report.Before.Keys.Union(report.After.Keys))
        {
            Console.WriteLine($"{kind,-20} {report.Before.GetValueOrDefault(kind),12} {report.After.GetValueOrDefault(kind),12}");
        }

        return report.AreEqual
            ? Done
            : await Refuse($"the store does not hold what {file} holds; it is not served before an import succeeds");
    }

    private static async Task<int> Refuse(string sentence)
    {
        await Console.Error.WriteLineAsync($"DBOS: {sentence}");
        return Failed;
    }
}
