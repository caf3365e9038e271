using System.IO.Hashing;
using System.Runtime.InteropServices;
using Dbos.Domain.Agents;

namespace Dbos.Application.Agents;

/// <summary>Texts of a config with their digests.</summary>
public static class ConfigValues
{
    public static ConfigValue Of(string text) => new(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan())), text);

    public static Dictionary<string, ConfigValue> Of(IReadOnlyDictionary<string, string> texts)
    {
        var values = new Dictionary<string, ConfigValue>(texts.Count);
        foreach (var (key, text) in texts)
        {
            values.Add(key, Of(text));
        }

        return values;
    }
}
