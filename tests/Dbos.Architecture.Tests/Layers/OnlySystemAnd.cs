using Mono.Cecil;
using NetArchTest.Rules;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>The type names only types of .NET itself, of its own assembly, and of the one that is named.</summary>
internal sealed class OnlySystemAnd(string assembly) : ICustomRule
{
    public bool MeetsRule(TypeDefinition type) =>
        type.NamedTypes().Select(named => named.Scope).All(scope =>
            scope is null or ModuleDefinition || scope.Name == assembly || scope.Name.StartsWith("System.", StringComparison.Ordinal));
}
