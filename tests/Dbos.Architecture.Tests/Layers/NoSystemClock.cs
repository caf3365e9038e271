using Mono.Cecil;
using NetArchTest.Rules;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>No method of the type, nor what the compiler made of it, reads the time of day from the system.</summary>
internal sealed class NoSystemClock : ICustomRule
{
    private static readonly string[] Clocks = ["System.DateTime", "System.DateTimeOffset"];
    private static readonly string[] Readings = ["get_UtcNow", "get_Now", "get_Today"];

    public bool MeetsRule(TypeDefinition type) =>
        !type.Methods.Any(ReadsTheClock) && type.NestedTypes.Where(IsOfTheCompiler).All(MeetsRule);

    private static bool IsOfTheCompiler(TypeDefinition type) => type.Name.StartsWith('<');

    private static bool ReadsTheClock(MethodDefinition method) =>
        method.HasBody && method.Body.Instructions.Any(instruction =>
            instruction.Operand is MethodReference called
            && Clocks.Contains(called.DeclaringType.FullName)
            && Readings.Contains(called.Name));
}
