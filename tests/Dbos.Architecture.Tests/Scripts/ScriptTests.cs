using Dbos.Infrastructure.Redis.Connection;

namespace Dbos.Architecture.Tests.Scripts;

public sealed class ScriptTests
{
    private const string Suffix = ".lua";

    private static readonly Dictionary<string, string> All = Product.Infrastructure.GetManifestResourceNames()
        .Where(name => name.EndsWith(Suffix, StringComparison.Ordinal))
        .ToDictionary(name => name[..^Suffix.Length], Read);

    public static TheoryData<string> Names => [.. All.Keys];

    public static TheoryData<string> Run => [.. ScriptRules.Run(All)];

    public static TheoryData<string> WithKeysOfTheirOwn => [.. ScriptRules.WithKeysOfTheirOwn];

    [Theory]
    [MemberData(nameof(Run))]
    public void A_script_is_given_the_prefix_of_its_keys_and_the_absent_key(string name) =>
        ScriptRules.BeginsWithItsArguments(name, All).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_reads_no_keys_but_those_that_it_is_given(string name) =>
        ScriptRules.ReadsNoFurtherKeys(name, All[name]).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(WithKeysOfTheirOwn))]
    public void A_script_with_keys_of_its_own_declares_the_absent_key_too(string name) =>
        ScriptRules.NamesTheAbsentKeyLast(All[name]).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void No_script_writes_or_reads_the_absent_key(string name) =>
        ScriptRules.LeavesTheAbsentKeyAlone(All[name]).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void No_script_goes_through_all_keys(string name) => ScriptRules.GoesThroughNoMoreThanItsKeys(All[name]).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_calls_commands_by_their_names(string name) => ScriptRules.CallsCommandsByName(All[name]).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void The_right_to_run_each_command_that_writes_is_tried(string name) =>
        ScriptRules.WritesOnlyWhatIsTried(All[name], All["write_rights"]).Should().BeEmpty();

    [Fact]
    public void A_partitions_scripts_are_run_with_two_keys_of_which_one_is_absent()
    {
        var keys = new RedisKeys("dbos", partitions: 3);
        foreach (var partition in Enumerable.Range(0, 3))
        {
            var scope = keys.Scope(partition);
            scope.Should().HaveCount(2).And.OnlyHaveUniqueItems();
            scope[0].Should().Be(keys.Of(partition, string.Empty));
            scope[1].Should().Be(keys.Of(partition, RedisKeys.Absent));
        }
    }

    [Fact]
    public async Task A_script_without_the_absent_key_is_not_sent()
    {
        var layout = new Script("layout");
        var keys = new RedisKeys("dbos", partitions: 1);

        await layout.Awaiting(it => it.Run(redis: null!, [keys.Of(0, RedisKeys.Layout)], [])).Should().ThrowAsync<ArgumentException>();
        await layout.Awaiting(it => it.Run(redis: null!, [keys.Of(0, RedisKeys.Absent)], [])).Should().ThrowAsync<ArgumentException>();
        await layout.Awaiting(it => it.Run(redis: null!, [keys.Of(0, RedisKeys.Absent), keys.Of(0, RedisKeys.Layout)], []))
            .Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public void The_rules_find_what_they_are_about()
    {
        var scripts = new Dictionary<string, string>
        {
            [ScriptRules.Args] = "local prefix = KEYS[1]\nlocal more = KEYS[3]",
            ["part"] = "-- @include args\nlocal function f() end",
            ["whole"] = "-- @include part\nreturn f()",
            ["alone"] = "return 1",
        };

        ScriptRules.Run(scripts).Should().BeEquivalentTo("whole", "alone");
        ScriptRules.BeginsWithItsArguments("whole", scripts).Should().BeEmpty();
        ScriptRules.BeginsWithItsArguments("alone", scripts).Should().Equal("alone");
        ScriptRules.ReadsNoFurtherKeys(ScriptRules.Args, scripts[ScriptRules.Args]).Should().Equal("KEYS[3]");
        ScriptRules.ReadsNoFurtherKeys("whole", "-- KEYS[1]\nreturn unpack(KEYS)").Should().Equal("KEYS");
        ScriptRules.NamesTheAbsentKeyLast("-- KEYS  1 the absent key   2 layout\n\nreturn 1").Should().NotBeEmpty();
        ScriptRules.NamesTheAbsentKeyLast("-- KEYS  1 layout   2 the absent key\n-- ARGV  1 one\nreturn 1").Should().BeEmpty();
        ScriptRules.LeavesTheAbsentKeyAlone("redis.call('SET', KEYS[2], 1)").Should().ContainSingle();
        ScriptRules.LeavesTheAbsentKeyAlone("redis.call('SET', prefix .. 'absent', 1)").Should().ContainSingle();
        ScriptRules.GoesThroughNoMoreThanItsKeys("plan('scan', 0)").Should().Equal("scan");
        ScriptRules.WritesOnlyWhatIsTried("redis.call('GET', a) redis.call('XTRIM', b) redis.call('SET', c, 'EX', 1)", "{'SET'}").Should().Equal("XTRIM");
        ScriptRules.CallsCommandsByName("redis.call(ARGV[1], key)").Should().ContainSingle();
        ScriptRules.CallsCommandsByName("local call = redis.call").Should().ContainSingle();
        ScriptRules.CallsCommandsByName("return redis.call(up and 'ZRANGE' or 'ZREVRANGE', key)").Should().BeEmpty();
    }

    private static string Read(string name)
    {
        using var reader = new StreamReader(Product.Infrastructure.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
