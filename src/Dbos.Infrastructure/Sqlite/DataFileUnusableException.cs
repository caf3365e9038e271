namespace Dbos.Infrastructure.Sqlite;

public sealed class DataFileUnusableException(string file, Exception cause)
    : IOException($"the data file {file} cannot be opened: {cause.Message}", cause);
