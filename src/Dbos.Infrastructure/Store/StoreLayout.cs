using System.Security.Cryptography;

namespace Dbos.Infrastructure.Store;

/// <summary>What a store says of itself, beside what it holds.</summary>
/// <param name="SchemaVersion">Of names and documents. A store from before it was recorded has 1.</param>
/// <param name="MovedFrom">The digest of the export that it is being filled from; null: it is whole.</param>
public sealed record StoreLayout(int Partitions, int SchemaVersion, string? MovedFrom)
{
    public const int CurrentSchema = 3;

    /// <summary>
    /// Names what a store holds from its first start, or from an import, to the next import. The layout record has it beside the rest, for
    /// the places in the event log that were given out.
    /// </summary>
    public static string NewGeneration() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    public bool IsMoving => MovedFrom is not null;

    /// <exception cref="LayoutMismatchException">It cannot be served or read as configured.</exception>
    public void CheckServable(StoreSettings settings) => CheckServable(settings, settings.Partitions);

    /// <param name="partitions">As many as there must be; null: any number.</param>
    /// <exception cref="LayoutMismatchException">It cannot be served or read as configured.</exception>
    public void CheckServable(StoreSettings settings, int? partitions)
    {
        if (IsMoving)
        {
            throw LayoutMismatchException.Moving(settings);
        }

        if (SchemaVersion < CurrentSchema)
        {
            throw LayoutMismatchException.Older(settings, SchemaVersion);
        }

        if (SchemaVersion > CurrentSchema)
        {
            throw LayoutMismatchException.Newer(settings, SchemaVersion);
        }

        if (!settings.IsEmbedded && partitions is { } wanted && Partitions != wanted)
        {
            throw LayoutMismatchException.OtherPartitions(settings, Partitions, wanted);
        }
    }
}

/// <summary>The store as a whole, for moves of all that it holds.</summary>
public interface IStoreLayout
{
    /// <summary>Connects, however the store is laid out; one that was never used is as this process would lay it out.</summary>
    Task<StoreLayout> Open(CancellationToken cancellation);

    /// <summary>Whether another process serves it now.</summary>
    Task<bool> IsServed(CancellationToken cancellation);

    /// <summary>
    /// Takes out all that it holds and lays it out anew. Before anything is taken out, and until <see cref="EndMove"/>,
    /// it says that it is being moved.
    /// </summary>
    /// <param name="from">The digest of the export that it will be filled from.</param>
    Task BeginMove(string from, CancellationToken cancellation);

    Task EndMove(CancellationToken cancellation);
}
