namespace Dbos.Infrastructure.Store;

public sealed class LayoutMismatchException(string prefix, int stored, int configured)
    : Exception($"the store of prefix '{prefix}' has {stored} partitions, but PARTITIONS is {configured}: set PARTITIONS to {stored}, or KEY_PREFIX to another store");
