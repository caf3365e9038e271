namespace Dbos.Testing;

/// <summary>
/// A machine that runs many tests may stop for two seconds, and Redis with it. To a DBOS with its own patience that is an
/// outage; to one with the tests' it is a slow call.
/// </summary>
public static class Patient
{
    /// <param name="address">As a client is told of Redis.</param>
    public static string To(string address) => $"{address},asyncTimeout=10000";
}
