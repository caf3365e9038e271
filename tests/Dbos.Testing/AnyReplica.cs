using System.Diagnostics;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Testing;

/// <summary>A caller of whichever DBOS answers.</summary>
public sealed class AnyReplica(IEnumerable<string> addresses) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly GrpcChannel[] channels = [.. addresses.Select(address => GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions
    {
        MaxReceiveMessageSize = null,
        MaxReconnectBackoff = TimeSpan.FromMilliseconds(500),
    }))];

    private int current;

    public DBOS.DBOSClient Client => new(channels[Volatile.Read(ref current) % channels.Length]);

    /// <summary>Sends it until it is answered. Every call here is safe to send again.</summary>
    public async Task<T> Ask<T>(Func<DBOS.DBOSClient, CallOptions, AsyncUnaryCall<T>> call)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await call(Client, new CallOptions(deadline: DateTime.UtcNow + Deadline));
            }
            catch (RpcException) when (since.Elapsed < Patience)
            {
                await TurnToTheNext();
            }
        }
    }

    public Task TurnToTheNext()
    {
        Interlocked.Increment(ref current);
        return Task.Delay(Pause);
    }

    public void Dispose() => Array.ForEach(channels, channel => channel.Dispose());
}
