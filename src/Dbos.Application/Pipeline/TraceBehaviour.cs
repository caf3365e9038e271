using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>
/// One span for each command and query, around all the other steps: its name, whom it is about, and what came of it.
/// </summary>
public sealed class TraceBehaviour<TRequest, TResponse> : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IDbosRequest
    where TResponse : IAnswer<TResponse>
{
    public Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        Spans.Source.HasListeners() ? Traced(request, next) : next();

    private static Task<TResponse> Traced(TRequest request, RequestHandlerDelegate<TResponse> next) =>
        Spans.Around(typeof(TRequest).Name, async span =>
        {
            span?.TellSubject(request.Subject);
            var answer = await next();
            span?.SetTag("dbos.outcome", Outcomes.Of(answer));
            return answer;
        });
}
