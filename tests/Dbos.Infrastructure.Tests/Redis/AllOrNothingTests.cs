using System.Text.RegularExpressions;
using Dbos.Application;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Testing;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>A write that Redis refuses half way has written nothing. A missing right is another case: RedisRightsTests.</summary>
[Collection(Undisturbed.Name)]
public sealed partial class AllOrNothingTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private const string Key = "key";

    public static TheoryData<string> Names => [.. RedisWrite.All.Keys];

    /// <summary>A batch's last item is among them: each of its keys is one.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_key_of_the_wrong_type_fails_all_of_a_write_or_none(string name)
    {
        var whole = await KeysAfter(name);
        foreach (var key in await KeysOf(name))
        {
            await using var dbos = await Prepared(name);
            var wrong = dbos.Get<RedisPartitions>().Key(0, key);
            await Redis.KeyDeleteAsync(wrong);
            await Redis.ListRightPushAsync(wrong, "wrong");

            await ShouldBeAllOrNothing(dbos, name, [.. whole.Except([key])], $"with another type under {key}", key);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_full_memory_fails_all_of_a_write_or_none(string name)
    {
        var whole = await KeysAfter(name);
        await using var dbos = await Prepared(name);
        await engine.Server.Ask("config", "set", "maxmemory", "1");
        try
        {
            await ShouldBeAllOrNothing(dbos, name, whole, "without memory");
        }
        finally
        {
            await engine.Server.Ask("config", "set", "maxmemory", "0");
        }
    }

    private IDatabase Redis => engine.Operator.GetDatabase();

    /// <summary>A write that was done wrote every key; any other changed none.</summary>
    private async Task ShouldBeAllOrNothing(OpenStore dbos, string name, IReadOnlyCollection<string> whole, string how, string except = "")
    {
        var before = await Content(dbos);
        var isDone = false;
        try
        {
            isDone = (await RedisWrite.All[name].Act(dbos, Key)).All(answer => answer == "done");
        }
        catch (Exception fault) when (fault is StoreUnavailableException or InvalidOperationException)
        {
        }

        var after = await Content(dbos);
        if (isDone)
        {
            after.Keys.Except([except]).Should().BeEquivalentTo(whole, "{0} {1} was done", name, how);
        }
        else
        {
            after.Should().BeEquivalentTo(before, "{0} {1} was refused", name, how);
        }
    }

    private async Task<OpenStore> Prepared(string name)
    {
        var dbos = await engine.Open(new OpenOptions());
        await RedisWrite.All[name].Before(dbos);
        return dbos;
    }

    private async Task<IReadOnlyCollection<string>> KeysAfter(string name)
    {
        await using var dbos = await Prepared(name);
        (await RedisWrite.All[name].Act(dbos, Key)).Should().AllBe("done");
        return [.. (await Content(dbos)).Keys];
    }

    /// <summary>Every key that a call of the write's scripts reads or writes, without those that only counts use.</summary>
    private async Task<IReadOnlyCollection<string>> KeysOf(string name)
    {
        await using var dbos = await Prepared(name);
        await using var monitor = await RedisMonitor.Start(engine.Server);
        var prefix = dbos.Get<RedisPartitions>().Key(0, string.Empty).ToString();
        var (_, called) = await monitor.During(() => RedisWrite.All[name].Act(dbos, Key));
        var keys = called.SelectMany(call => Words().Matches(call).Select(word => word.Groups["text"].Value))
            .Where(word => word.StartsWith(prefix, StringComparison.Ordinal))
            .Select(word => word[prefix.Length..])
            .Where(key => !key.StartsWith("counts:", StringComparison.Ordinal))
            .Distinct()
            .ToArray();
        keys.Should().NotBeEmpty();
        return keys;
    }

    /// <summary>All keys of the store as Redis dumps them, without the log of refusals and what only counts.</summary>
    private async Task<IReadOnlyDictionary<string, string>> Content(OpenStore dbos)
    {
        var prefix = dbos.Get<RedisPartitions>().Key(0, string.Empty).ToString();
        var content = new Dictionary<string, string>();
        await foreach (var key in engine.Operator.GetServer(engine.Server.Address).KeysAsync(pattern: $"{prefix}*"))
        {
            var name = key.ToString()[prefix.Length..];
            if (!name.StartsWith("counts", StringComparison.Ordinal) && !name.StartsWith("refus", StringComparison.Ordinal) && await Redis.KeyDumpAsync(key) is { } dump)
            {
                content.Add(name, Convert.ToHexString(dump));
            }
        }

        return content;
    }

    [GeneratedRegex(@"""(?<text>(\\.|[^""\\])*)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Words();
}
