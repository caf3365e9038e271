using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Pipeline;

/// <summary>
/// The container skips in silence a behaviour whose constraints a request does not meet. Here it would be
/// heard of.
/// </summary>
public sealed class WiringTests : IDisposable
{
    private static readonly Type[] Outer = [typeof(TraceBehaviour<,>), typeof(AuditBehaviour<,>), typeof(ValidationBehaviour<,>)];

    private readonly SubstitutedDbos dbos = new();

    private static readonly Type[] All =
        [.. typeof(IDbosRequest).Assembly.GetTypes().Where(type => type is { IsAbstract: false } && AnswerOf(type) is not null)];

    public static TheoryData<Type> Requests => [.. All];

    [Fact]
    public void There_is_a_request_for_each_call_of_the_contract() => All.Should().HaveCount(30);

    [Theory]
    [MemberData(nameof(Requests))]
    public void Every_request_has_one_handler_and_one_validator(Type request)
    {
        Resolve(typeof(IRequestHandler<,>), request, AnswerOf(request)!).Should().ContainSingle();
        Resolve(typeof(IValidator<>), request).Should().ContainSingle();
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Every_request_is_traced_then_audited_then_validated_and_every_write_is_made_idempotent(Type request)
    {
        var expected = typeof(IWrite).IsAssignableFrom(request) ? [.. Outer, typeof(IdempotencyBehaviour<,>)] : Outer;

        BehavioursOf(request).Should().Equal(expected);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Whatever_answers_that_it_has_written_is_a_write(Type request) =>
        typeof(IWrite).IsAssignableFrom(request).Should().Be(AnswerOf(request) == typeof(Answer<Written>));

    [Fact]
    public void A_request_outside_the_contract_would_be_skipped_and_noticed() => BehavioursOf(typeof(Stray)).Should().BeEmpty();

    public void Dispose() => dbos.Dispose();

    private static Type? AnswerOf(Type type) => type.GetInterfaces()
        .SingleOrDefault(implemented => implemented.IsGenericType && implemented.GetGenericTypeDefinition() == typeof(IRequest<>))
        ?.GetGenericArguments()[0];

    private IEnumerable<Type> BehavioursOf(Type request) =>
        Resolve(typeof(IPipelineBehavior<,>), request, AnswerOf(request)!).Select(behaviour => behaviour.GetType().GetGenericTypeDefinition());

    private List<object> Resolve(Type open, params Type[] arguments)
    {
        using var scope = dbos.Services.CreateScope();
        return [.. scope.ServiceProvider.GetServices(open.MakeGenericType(arguments)).OfType<object>()];
    }

    private sealed record Stray : IRequest<string>;
}
