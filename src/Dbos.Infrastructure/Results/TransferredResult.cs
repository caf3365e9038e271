using Dbos.Domain.Results;

namespace Dbos.Infrastructure.Results;

/// <summary>A result as it is moved from store to store.</summary>
/// <param name="StoredAt">
/// Unix microseconds: its place in lists. Two that were stored in the same microsecond get places of their own when they are
/// imported, so it may come back a little later: it is not to be compared.
/// </param>
internal sealed record TransferredResult(MeasurementResult Result, long StoredAt);
