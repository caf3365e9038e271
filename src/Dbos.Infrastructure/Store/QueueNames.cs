namespace Dbos.Infrastructure.Store;

/// <summary>
/// The queue of one agent's module, in one word: "agent:module". Both are callers' text, so a percent sign, a colon and a space in
/// them are percent-encoded.
/// </summary>
public static class QueueNames
{
    public static string Of(string agentId, string moduleName) => $"{Encode(agentId)}:{Encode(moduleName)}";

    public static (string AgentId, string ModuleName) Read(string queue)
    {
        var colon = queue.IndexOf(':', StringComparison.Ordinal);
        return (Decode(queue[..colon]), Decode(queue[(colon + 1)..]));
    }

    public static string Encode(string id) => id.AsSpan().ContainsAny('%', ':', ' ')
        ? id.Replace("%", "%25", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal).Replace(" ", "%20", StringComparison.Ordinal)
        : id;

    private static string Decode(string text) => text.Contains('%', StringComparison.Ordinal)
        ? text.Replace("%20", " ", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal)
        : text;
}
