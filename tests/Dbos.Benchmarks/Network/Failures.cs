using Grpc.Core;

namespace Dbos.Benchmarks.Network;

/// <summary>Counts failed calls: an overloaded server shows in the figures and does not end the benchmark.</summary>
internal sealed class Failures
{
    private int count;
    private volatile string? first;

    public int Count => Volatile.Read(ref count);

    /// <summary>What the first failure was; empty: there was none.</summary>
    public string First => first is null ? string.Empty : $" The first failure: {first}";

    /// <returns>False: the call failed.</returns>
    public async Task<bool> Catch(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (Exception failure) when (failure is RpcException or InvalidOperationException or TimeoutException)
        {
            Interlocked.Increment(ref count);
            first ??= failure.Message;
            return false;
        }
    }
}
