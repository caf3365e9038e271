using Mono.Cecil;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>What a type is made of, and what the compiler made of it: closures, iterators, state machines.</summary>
internal static class TypeReading
{
    public static IEnumerable<MethodDefinition> AllMethods(this TypeDefinition type) =>
        type.Methods.Concat(type.NestedTypes.Where(nested => nested.Name.StartsWith('<')).SelectMany(AllMethods));

    public static IEnumerable<object> Operands(this MethodDefinition method) =>
        method.HasBody ? method.Body.Instructions.Select(instruction => instruction.Operand).OfType<object>() : [];

    /// <summary>The types that it names: in its head, its fields, its methods' heads and bodies.</summary>
    public static IEnumerable<TypeReference> NamedTypes(this TypeDefinition type) =>
        type.Interfaces.Select(port => port.InterfaceType)
            .Append(type.BaseType)
            .Concat(type.CustomAttributes.Select(attribute => attribute.AttributeType))
            .Concat(type.Fields.Select(field => field.FieldType))
            .Concat(type.AllMethods().SelectMany(NamedTypes))
            .OfType<TypeReference>()
            .SelectMany(WithArguments);

    private static IEnumerable<TypeReference?> NamedTypes(MethodDefinition method) =>
        method.Parameters.Select(parameter => parameter.ParameterType)
            .Append(method.ReturnType)
            .Concat(method.Operands().Select(operand => operand as TypeReference ?? (operand as MemberReference)?.DeclaringType));

    private static IEnumerable<TypeReference> WithArguments(TypeReference type) => type is GenericInstanceType generic
        ? generic.GenericArguments.SelectMany(WithArguments).Append(generic.ElementType)
        : [type];
}
