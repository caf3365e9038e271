using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>A Lua script that runs in Redis. Each lies beside the class that runs it, with its contract in its head.</summary>
public sealed class Script
{
    /// <summary>The Redis command that runs a script.</summary>
    public const string Command = "EVALSHA";

    private const string Include = "-- @include ";

    private const string AbsentSuffix = $":{RedisKeys.Absent}";

    private readonly string text;
    private readonly byte[] digest;

    /// <param name="parts">Names of embedded files, the script's own last. A file that begins with lines "-- @include NAME" needs those before it.</param>
    public Script(params string[] parts)
    {
        Name = parts[^1];
        var included = new HashSet<string>();
        text = string.Concat(parts.Select(part => Read(part, included)));
#pragma warning disable CA5350 // Redis names scripts by their SHA-1; nothing is kept secret by it.
        digest = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    public string Name { get; }

    /// <summary>By which a server knows the script, as <see cref="Command"/> sends it.</summary>
    internal string Digest => Convert.ToHexStringLower(digest);

    /// <summary>False: a second run after a lost answer would do harm, so it is not sent again.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Runs by digest, and by text where the server does not know the digest: after NOSCRIPT nothing was run.</summary>
    /// <param name="keys">At least two, the last one absent.</param>
    /// <param name="heard">Receives the answer before anybody else; null: nobody.</param>
    public async Task<RedisResult> Run(IDatabase redis, RedisKey[] keys, RedisValue[] values, Action<RedisResult>? heard = null)
    {
        CheckKeys(keys);
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

    /// <summary>Runs on this server and no other.</summary>
    public async Task<RedisResult> Run(IServer server, RedisKey[] keys, RedisValue[] values, Action<RedisResult>? heard = null)
    {
        CheckKeys(keys);
        RedisResult answer;
        try
        {
            answer = await server.ExecuteAsync(Command, Words(Digest, keys, values), CommandFlags.NoRedirect);
        }
        catch (RedisServerException error) when (IsUnknown(error))
        {
            answer = await server.ExecuteAsync("EVAL", Words(text, keys, values), CommandFlags.NoRedirect);
        }

        heard?.Invoke(answer);
        return answer;
    }

    /// <summary>
    /// Without an absent key Redis Cluster would run a script while its slot is on the move, and a part of its records would be on the
    /// other node (docs/decisions/0016-redis-cluster.md).
    /// </summary>
    private void CheckKeys(RedisKey[] keys)
    {
        if (keys.Length < 2 || !((string)keys[^1]!).EndsWith(AbsentSuffix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"script {Name} declares no absent key", nameof(keys));
        }
    }

    private static bool IsUnknown(RedisServerException error) => error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    private static object[] Words(string script, RedisKey[] keys, RedisValue[] values) =>
        [script, keys.Length, .. keys.Cast<object>(), .. values.Cast<object>()];

    /// <summary>The file behind the files that it includes, each once.</summary>
    private static string Read(string name, HashSet<string> included)
    {
        if (!included.Add(name))
        {
            return string.Empty;
        }

        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.lua")
            ?? throw new InvalidOperationException($"script {name}.lua is not embedded");
        using var reader = new StreamReader(stream);
        var own = reader.ReadToEnd();
        var before = own.Split('\n')
            .TakeWhile(line => line.StartsWith(Include, StringComparison.Ordinal))
            .Select(line => Read(line[Include.Length..].Trim(), included));
        return string.Concat([.. before, own, "\n"]);
    }
}
