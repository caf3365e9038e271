using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>A script of the Scripts folder, each with its contract in its head.</summary>
public sealed class Script
{
    public static readonly Script Commit = new("reading", "telling", "indexing", "turns", "commit");
    public static readonly Script Take = new("reading", "telling", "indexing", "turns", "take");
    public static readonly Script Due = new("due");
    public static readonly Script Append = new("append");
    public static readonly Script Restore = new("reading", "indexing", "turns", "restore");
    public static readonly Script Layout = new("layout");
    public static readonly Script Probe = new("probe");

    private readonly string text;
    private readonly byte[] digest;

    /// <param name="parts">Files of the Scripts folder: what the last one needs before it.</param>
    private Script(params string[] parts)
    {
        text = string.Concat(parts.Select(Read));
#pragma warning disable CA5350 // Redis names scripts by their SHA-1; nothing is kept secret by it.
        digest = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    /// <summary>By its digest, and by its text where the server does not have it: NOSCRIPT means that nothing was run.</summary>
    public async Task<RedisResult> Run(IDatabase redis, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await redis.ScriptEvaluateAsync(digest, keys, values);
        }
        catch (RedisServerException unknown) when (unknown.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            object[] whole = [text, keys.Length, .. keys.Cast<object>(), .. values.Cast<object>()];
            return await redis.ExecuteAsync("EVAL", whole);
        }
    }

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.lua")
            ?? throw new InvalidOperationException($"script {name}.lua is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
