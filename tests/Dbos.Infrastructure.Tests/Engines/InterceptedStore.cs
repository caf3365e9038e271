using System.Reflection;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>A store of which a test answers some calls itself.</summary>
public class InterceptedStore : DispatchProxy
{
    private IStore store = null!;
    private Func<string, object?[], Func<object?>, object?> answer = null!;

    /// <param name="answer">Of a method with its arguments; the last of its own asks the store.</param>
    public static IStore Of(IStore store, Func<string, object?[], Func<object?>, object?> answer)
    {
        var proxy = Create<IStore, InterceptedStore>();
        (((InterceptedStore)(object)proxy).store, ((InterceptedStore)(object)proxy).answer) = (store, answer);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        answer(targetMethod!.Name, args ?? [], () => targetMethod.Invoke(store, args));
}
