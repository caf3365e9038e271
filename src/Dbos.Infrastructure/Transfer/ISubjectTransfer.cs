namespace Dbos.Infrastructure.Transfer;

/// <summary>All records of one subject, for moves of a whole store (docs/decisions/0013-export-and-import.md).</summary>
public interface ISubjectTransfer<T>
{
    /// <summary>Every record once, in any order. What is written meanwhile may be missing.</summary>
    IAsyncEnumerable<T> Export(CancellationToken cancellation = default);

    /// <summary>
    /// Puts records back with all their index entries, into a store that has none of them. No event is written and nothing
    /// is counted.
    /// </summary>
    Task Import(IReadOnlyList<T> records, CancellationToken cancellation);

    /// <summary>To be called after the last records of an import: until then they may not be listed.</summary>
    Task EndImport(CancellationToken cancellation) => Task.CompletedTask;
}
