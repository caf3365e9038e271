using System.Diagnostics;
using Dbos.Api.Hosting;
using Dbos.Application;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Wire;
using Grpc.Core;
using MediatR;
using Microsoft.AspNetCore.RateLimiting;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Api.Services;

/// <summary>
/// The calls of protos/dbos.proto: each turns its message into one command or query and the answer back.
/// The methods lie in one file for each subject.
/// </summary>
[EnableRateLimiting(Overload.Writes)]
public sealed partial class DbosService(
    IMediator mediator, CallContext call, TaskGiveBack undelivered, IHostApplicationLifetime lifetime, ILogger<DbosService> logger)
    : DBOS.DBOSBase
{
    private const string IdempotencyKey = "idempotency-key";
    private const string TraceParent = "traceparent";

    /// <summary>The number of a refusal's code on the wire is its number in the domain.</summary>
    private static ErrorCode Code(Refusal refusal) => (ErrorCode)refusal.Code;

    /// <summary>Says why a list that was asked for as a whole is not whole.</summary>
    private static (string Error, ErrorCode Code) Cut<T>(int pageSize, Page<T> page) => pageSize == 0 && page.Next is not null
        ? ($"the list was cut after {page.Items.Count} items: ask on with next_page_token as page_token", ErrorCode.ListCut)
        : (string.Empty, ErrorCode.None);

    /// <summary>Sends it through the pipeline.</summary>
    private Task<Answer<T>> Ask<T>(IRequest<Answer<T>> request, ServerCallContext context)
    {
        var http = context.GetHttpContext();
        call.Origin = OriginOf(http);
        call.TimeLeft = context.Deadline == DateTime.MaxValue ? null : context.Deadline - TimeProvider.System.GetUtcNow();
        call.IdempotencyKey = http.Request.Headers.TryGetValue(IdempotencyKey, out var named) ? named.ToString() : null;

        // What changes something is finished once begun, whoever still listens.
        var patience = request is ICommand ? CancellationToken.None : context.CancellationToken;
        return Told(() => mediator.Send(request, patience), request.GetType().Name, context);
    }

    /// <summary>Whatever keeps DBOS from answering becomes a gRPC status, in DBOS's own words.</summary>
    private async Task<T> Told<T>(Func<Task<T>> ask, string name, ServerCallContext context)
    {
        try
        {
            return await ask();
        }
        catch (StoreUnavailableException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the store is away; it is safe to send this again"));
        }
        catch (StoreBusyException busy)
        {
            throw Overload.Refusal(busy.Message);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "the caller gave up"));
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "DBOS is stopping; ask again"));
        }
#pragma warning disable CA1031 // The edge of the service: a fault is logged here and told to nobody else.
        catch (Exception fault)
        {
            // Where DBOS itself is not traced, the caller may be.
            using var scope = Activity.Current is null ? logger.InTrace(call.Origin.TraceId) : null;
            LogFault(name, fault);
            throw new RpcException(new Status(StatusCode.Internal, "DBOS failed at this call; its log says why"));
        }
#pragma warning restore CA1031
    }

    /// <summary>Writes what comes until it ends, the caller has enough, or DBOS stops.</summary>
    private async Task Stream<T, TReply>(
        IAsyncEnumerable<T> news, IServerStreamWriter<TReply> replies, Func<T, TReply> reply, string name, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await Told(
            async () =>
            {
                // It asks the store again and again, for days or for each of a million tasks: no spans of these.
                Activity.Current = null;
                await foreach (var some in news.WithCancellation(ending.Token))
                {
                    await Write(replies, reply(some), ending.Token);
                }

                return true;
            },
            name,
            context);
    }

    /// <exception cref="OperationCanceledException">Nobody listens any more, which the writer says in several ways.</exception>
    private static async Task Write<TReply>(IServerStreamWriter<TReply> replies, TReply reply, CancellationToken ending)
    {
        try
        {
            await replies.WriteAsync(reply, ending);
        }
        catch (Exception gone) when (ending.IsCancellationRequested && gone is InvalidOperationException or IOException)
        {
            throw new OperationCanceledException("nobody listens any more", gone, ending);
        }
    }

    /// <summary>The caller's trace is told also where DBOS itself is not traced.</summary>
    private static Origin OriginOf(HttpContext http)
    {
        var actor = $"grpc:{http.Connection.RemoteIpAddress}";
        var parent = Activity.Current?.Id ?? http.Request.Headers[TraceParent];
        if (!ActivityContext.TryParse(parent, null, isRemote: true, out var trace))
        {
            return new Origin(actor, string.Empty);
        }

        var isKept = trace.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
        return new Origin(actor, trace.TraceId.ToHexString(), isKept ? $"00-{trace.TraceId}-{trace.SpanId}-01" : null);
    }

    [LoggerMessage(LogLevel.Error, "{Request} failed")]
    private partial void LogFault(string request, Exception fault);
}
