using Grpc.Core;

namespace Dbos.Api.Tests.Support;

public static class BoundedStreams
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <returns>False: the stream has ended. Otherwise the next reply is its current one.</returns>
    /// <exception cref="TimeoutException">Nothing came for long.</exception>
    public static Task<bool> Next<TReply>(this AsyncServerStreamingCall<TReply> call) => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience);
}
