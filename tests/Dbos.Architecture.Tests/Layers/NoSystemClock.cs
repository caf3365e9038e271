using Mono.Cecil;
using NetArchTest.Rules;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>No method of the type reads the time of day from the system.</summary>
internal sealed class NoSystemClock : ICustomRule
{
    private static readonly string[] Clocks = ["System.DateTime", "System.DateTimeOffset"];
    private static readonly string[] Readings = ["get_UtcNow", "get_Now", "get_Today"];

    public bool MeetsRule(TypeDefinition type) =>
        !type.AllMethods().SelectMany(method => method.Operands()).OfType<MethodReference>().Any(called =>
            Clocks.Contains(called.DeclaringType.FullName) && Readings.Contains(called.Name));
}
