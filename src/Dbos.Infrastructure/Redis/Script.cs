using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>A script of the Scripts folder, each with its contract in its head.</summary>
public sealed class Script
{
    public static readonly Script Commit = new("reading", "telling", "indexing", "turns", "commit");
    public static readonly Script Take = new("reading", "telling", "indexing", "turns", "take") { IsRepeatable = false };
    public static readonly Script Due = new("due");
    public static readonly Script Heads = new("heads");
    public static readonly Script Page = new("page");
    public static readonly Script Append = new("append") { IsRepeatable = false };
    public static readonly Script Restore = new("reading", "indexing", "turns", "restore") { IsRepeatable = false };
    public static readonly Script Layout = new("layout");
    public static readonly Script Probe = new("probe");
    public static readonly Script Probed = new("probed");

    /// <summary>By which a script is run.</summary>
    public const string Command = "EVALSHA";

    private readonly string text;
    private readonly byte[] digest;

    /// <param name="parts">Files of the Scripts folder: what the last one needs before it.</param>
    private Script(params string[] parts)
    {
        Name = parts[^1];
        text = string.Concat(parts.Select(Read));
#pragma warning disable CA5350 // Redis names scripts by their SHA-1; nothing is kept secret by it.
        digest = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    public string Name { get; }

    /// <summary>Run once more, it changes nothing more, or knows that it was run.</summary>
    public bool IsRepeatable { get; private init; } = true;

    /// <summary>By its digest, and by its text where the server does not have it: NOSCRIPT means that nothing was run.</summary>
    /// <param name="heard">Told the answer; null: nobody is.</param>
    public async Task<RedisResult> Run(IDatabase redis, RedisKey[] keys, RedisValue[] values, Action<RedisResult>? heard = null)
    {
        RedisResult answer;
        try
        {
            answer = await redis.ScriptEvaluateAsync(digest, keys, values, CommandFlags.DemandMaster);
        }
        catch (RedisServerException error) when (IsUnknown(error))
        {
            answer = await redis.ExecuteAsync("EVAL", Words(text, keys, values), CommandFlags.DemandMaster);
        }

        heard?.Invoke(answer);
        return answer;
    }

    /// <summary>Likewise on this server and no other.</summary>
    public async Task<RedisResult> Run(IServer server, RedisKey[] keys, RedisValue[] values, Action<RedisResult>? heard = null)
    {
        RedisResult answer;
        try
        {
            answer = await server.ExecuteAsync(Command, Words(Convert.ToHexStringLower(digest), keys, values), CommandFlags.NoRedirect);
        }
        catch (RedisServerException error) when (IsUnknown(error))
        {
            answer = await server.ExecuteAsync("EVAL", Words(text, keys, values), CommandFlags.NoRedirect);
        }

        heard?.Invoke(answer);
        return answer;
    }

    private static bool IsUnknown(RedisServerException error) => error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    private static object[] Words(string script, RedisKey[] keys, RedisValue[] values) =>
        [script, keys.Length, .. keys.Cast<object>(), .. values.Cast<object>()];

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.lua")
            ?? throw new InvalidOperationException($"script {name}.lua is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
