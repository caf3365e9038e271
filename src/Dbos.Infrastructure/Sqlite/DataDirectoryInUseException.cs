namespace Dbos.Infrastructure.Sqlite;

public sealed class DataDirectoryInUseException(string directory, Exception cause)
    : Exception($"the data directory {directory} is used by another DBOS: give this one another DATA_DIR, or a Redis in REDIS_ADDR", cause);
