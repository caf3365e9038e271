namespace Dbos.Infrastructure.Store;

/// <summary>A name within one partition.</summary>
public readonly record struct StoreKey(int Partition, string Name);

/// <summary>An entry of a sorted list of one partition.</summary>
public readonly record struct IndexEntry(int Partition, string Member, long Score);
