using Dbos.Chaos.Histories;
using Grpc.Core;

namespace Dbos.Chaos.Clients;

/// <summary>One client's way to DBOS: every call goes into the history with what came of it.</summary>
internal sealed class Recorder(string client, AnyReplica replicas, History history)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    /// <summary>Longer than any fault lasts; then its outcome stays unknown.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public History History => history;

    public AnyReplica Replicas => replicas;

    /// <summary>As it is asked, before anything of it is known.</summary>
    public Call Asked(Method method, string subject, long number = 0, string content = "") =>
        new(0, client, method, subject, default, default, Outcome.Unknown) { Number = number, Content = content };

    /// <summary>Sends a write until its outcome is known: with the same ids, so it is done once.</summary>
    /// <param name="asked">One, or each item of a batch.</param>
    /// <param name="hear">Of each that was asked, what was answered.</param>
    public async Task Write<T>(
        IReadOnlyList<Call> asked, Func<DBOS.DBOSClient, CallOptions, AsyncUnaryCall<T>> send, Func<T, IEnumerable<Call>> hear, Metadata? headers = null)
        where T : class
    {
        var until = history.Now + Patience;
        while (history.Now < until && await Try(asked, send, (answer, _) => hear(answer), headers) is null)
        {
            // Unknown: it is sent again.
        }
    }

    /// <summary>Sends it once.</summary>
    /// <param name="hear">With when it was sent.</param>
    /// <returns>Null: the outcome is unknown.</returns>
    public async Task<T?> Try<T>(
        IReadOnlyList<Call> asked, Func<DBOS.DBOSClient, CallOptions, AsyncUnaryCall<T>> send, Func<T, TimeSpan, IEnumerable<Call>> hear, Metadata? headers = null)
        where T : class
    {
        var (id, started) = (history.NextId(), history.Now);
        try
        {
            var answer = await send(replicas.Client, new CallOptions(headers, DateTime.UtcNow + Deadline));
            Note(id, started, hear(answer, started));
            return answer;
        }
        catch (RpcException unanswered)
        {
            NoteUnknown(id, started, asked, unanswered);
            await replicas.TurnToTheNext();
            return null;
        }
    }

    public void NoteUnknown(long id, TimeSpan started, IEnumerable<Call> asked, RpcException unanswered) =>
        Note(id, started, asked.Select(call => call with { Code = CodeOf(unanswered), Detail = unanswered.Status.Detail }));

    /// <summary>
    /// What DBOS answered instead; or that the client's connection came to nothing, which gRPC for .NET calls INTERNAL if it was
    /// cut while it was being made.
    /// </summary>
    internal static string CodeOf(RpcException unanswered) =>
        unanswered.Status.DebugException is HttpRequestException { InnerException: not HttpProtocolException }
            ? "NoConnection"
            : unanswered.StatusCode.ToString();

    public void Note(long id, TimeSpan started, IEnumerable<Call> heard)
    {
        var ended = history.Now;
        history.Add([.. heard.Select(call => call with { Id = id, Started = started, Ended = ended })]);
    }
}
