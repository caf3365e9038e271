using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Says for the event log who does it, and logs every refused write, whichever step refused it; that is why it
/// is the outermost.
/// </summary>
public sealed class AuditBehaviour<TRequest, TResponse>(CommitContext work, CallContext call, Refusals refusals)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IDbosRequest
    where TResponse : IAnswer<TResponse>
{
    public async Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        work.Origin = call.Origin;
        var answer = await next();
        var isDone = answer is Answer<Written> { IsRefused: false, Value.Duplicate: false };
        await refusals.Log(request, answer.Refusal, work, isDone, cancellationToken);

        // Not before: a refusal that could not be logged is not answered either.
        call.Outcome = Outcomes.Of(answer);
        if (request is IWrite write)
        {
            Outcomes.Count(write, call.Outcome);
        }

        return answer;
    }
}
