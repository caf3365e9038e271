namespace Dbos.Domain.Tasks;

/// <summary>How one delivery of a task failed.</summary>
/// <param name="FailedAt">Unix seconds.</param>
/// <param name="Kind">One of <see cref="Nack"/> and <see cref="LeaseExpired"/>.</param>
public sealed record TaskFailure(long LeaseToken, long FailedAt, string Kind, string Error)
{
    public const string Nack = "nack";
    public const string LeaseExpired = "lease_expired";
}
