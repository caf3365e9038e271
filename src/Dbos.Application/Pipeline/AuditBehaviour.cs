using Dbos.Application.Events;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Says for the event log who does it, and tells of every refusal, whichever step refused; that is why it
/// is the outermost. That a reader asked for what does not exist is no event.
/// </summary>
public sealed class AuditBehaviour<TRequest, TResponse>(UnitOfWork work, CallContext call, IEventLog events)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IDbosRequest
    where TResponse : IAnswer<TResponse>
{
    private const int LongestValue = 256;

    public async Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        work.Origin = call.Origin;
        var answer = await next();
        if (answer.Refusal is { } refusal && (request is ICommand || refusal.Code != RefusalCode.NotFound))
        {
            var refused = new AuditEvent(
                request.RefusedEvent,
                refusal.Sentence,
                [.. request.Subject.Select(told => (told.Name, Rules.CutShort(told.Value, LongestValue))), ("code", refusal.Code.ToString())]);
            await events.TellRefusal(refused, work.Origin, PartitionId(request), cancellationToken);
        }

        if (work.ReplayDiffered)
        {
            var differed = new AuditEvent(
                EventTypes.ReplayDiffered,
                $"{typeof(TRequest).Name} was sent again with other content; the first is kept",
                request.Subject);
            await events.TellRefusal(differed, work.Origin, PartitionId(request), cancellationToken);
        }

        return answer;
    }

    private static string PartitionId(TRequest request) => request.Subject is [var first, ..] ? first.Value : string.Empty;
}
