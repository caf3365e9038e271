using FluentValidation;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Validation;

/// <summary>Asks the validator that the application registers for a request.</summary>
internal static class Shape
{
    private static readonly IServiceProvider Services =
        new ServiceCollection().AddApplication(SubstitutedDbos.Policy).BuildServiceProvider();

    /// <returns>The sentence of the first rule that it breaks; null: none.</returns>
    public static string? WrongIn(object request)
    {
        var validator = (IValidator)Services.GetRequiredService(typeof(IValidator<>).MakeGenericType(request.GetType()));
        return validator.Validate(new ValidationContext<object>(request)).Errors.FirstOrDefault()?.ErrorMessage;
    }
}
