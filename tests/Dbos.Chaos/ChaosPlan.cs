namespace Dbos.Chaos;

/// <param name="Seed">From which follows which faults are made, and what clients do.</param>
/// <param name="Single">On one Redis instead of a cluster.</param>
/// <param name="Durability">What DBOS is set to wait for. On a cluster, local promises less than the checker asks.</param>
/// <param name="HistoryFile">Into which the history goes as JSON lines; null: none is written.</param>
internal sealed record ChaosPlan(TimeSpan Length, int Seed, bool Single, string Durability, string? HistoryFile);
