using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Dbos.Testing;

/// <summary>
/// A call that is never answered fails its test instead of holding up all others. Nothing of it is sent: to DBOS a call has
/// the deadline that its caller gives it.
/// </summary>
internal sealed class BoundedCalls : Interceptor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, context);
        return new(Answer(call, context.Method.Name), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    private static async Task<TResponse> Answer<TResponse>(AsyncUnaryCall<TResponse> call, string method)
    {
        try
        {
            return await call.ResponseAsync.WaitAsync(Patience);
        }
        catch (TimeoutException late)
        {
            call.Dispose();
            throw new TimeoutException($"{method} was not answered within {Patience.TotalSeconds} s", late);
        }
    }
}
