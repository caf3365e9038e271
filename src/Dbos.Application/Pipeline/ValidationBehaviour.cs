using Dbos.Domain.Answers;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>Refuses a request whose shape is wrong, with the sentence of the first rule that it breaks.</summary>
public sealed class ValidationBehaviour<TRequest, TResponse>(IValidator<TRequest> validator)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IDbosRequest
    where TResponse : IAnswer<TResponse>
{
    public Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var outcome = validator.Validate(request);
        return outcome.IsValid
            ? next()
            : Task.FromResult(TResponse.Refused(new Refusal(RefusalCode.Validation, outcome.Errors[0].ErrorMessage)));
    }
}
