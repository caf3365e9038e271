namespace Dbos.Architecture.Tests.Scripts;

public sealed class ScriptTests
{
    public static TheoryData<string> Names =>
        [.. Product.Infrastructure.GetManifestResourceNames().Where(name => name.EndsWith(".lua", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_touches_only_the_keys_that_it_was_given(string name) =>
        ScriptRules.TouchesGivenKeysOnly(Read(name)).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_declares_its_keys_in_its_head(string name) => ScriptRules.DeclaresItsKeys(Read(name)).Should().BeEmpty();

    [Theory]
    [InlineData("redis.call('GET', KEYS[1] .. ':mark')")]
    [InlineData("redis.call('GET', ARGV[1] .. KEYS[1])")]
    [InlineData("redis.call('GET', '{dbos:0}:agent')")]
    [InlineData("redis.pcall('DEL', ARGV[1])")]
    [InlineData("local key = 'dbos:' .. ARGV[1]\nredis.call('GET', key)")]
    [InlineData("local key = KEYS[1]\nkey = key .. ':mark'\nredis.call('GET', key)")]
    [InlineData("local key = KEYS[1]\nif #KEYS > 1 then key = ARGV[1] end\nredis.call('GET', key)")]
    [InlineData("local argument, key = KEYS[1], ARGV[1]\nredis.call('GET', key)")]
    [InlineData("redis.call(ARGV[1], KEYS[1])")]
    [InlineData("local call = redis.call")]
    [InlineData("redis.call('FLUSHALL')")]
    [InlineData("redis.call('KEYS', '*')")]
    [InlineData("redis.call('SCAN', 0)")]
    public void A_key_that_was_not_given_is_found(string script) => ScriptRules.TouchesGivenKeysOnly(script).Should().ContainSingle();

    [Theory]
    [InlineData("-- a comment may join KEYS[1] .. ':mark' and redis.call('GET', 'it')")]
    [InlineData("local time = redis.call('TIME')")]
    [InlineData("redis.call('SET', KEYS[1], ARGV[1] .. 'x', 'EX', 60)")]
    [InlineData("local argument, key = ARGV[1], KEYS[1]\nredis.call('GET', key)")]
    [InlineData("for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end")]
    public void A_key_that_was_given_is_not(string script) => ScriptRules.TouchesGivenKeysOnly(script).Should().BeEmpty();

    [Theory]
    [InlineData("-- Gets.\n--\n-- KEYS  1 record   2 mark\n-- ARGV  3 lifetime\n\nreturn KEYS[3]", "KEYS[3]")]
    [InlineData("-- KEYS  1 record\n\nreturn KEYS[i]", "KEYS[i]")]
    [InlineData("return KEYS[1]", "KEYS[1]")]
    public void A_key_that_the_head_does_not_declare_is_found(string script, string key) =>
        ScriptRules.DeclaresItsKeys(script).Should().Equal(key);

    private static string Read(string name)
    {
        using var reader = new StreamReader(Product.Infrastructure.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
