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
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        validator.WhyRefused(request) is { } refusal ? Task.FromResult(TResponse.Refused(refusal)) : next();
}

internal static class Validation
{
    /// <summary>Null: the shape is good.</summary>
    public static Refusal? WhyRefused<T>(this IValidator<T> validator, T request)
    {
        var outcome = validator.Validate(request);
        return outcome.IsValid ? null : new Refusal(RefusalCode.Validation, outcome.Errors[0].ErrorMessage);
    }
}
