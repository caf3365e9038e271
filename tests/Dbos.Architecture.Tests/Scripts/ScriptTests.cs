namespace Dbos.Architecture.Tests.Scripts;

public sealed class ScriptTests
{
    private static readonly string[] All =
        [.. Product.Infrastructure.GetManifestResourceNames().Where(name => name.EndsWith(".lua", StringComparison.Ordinal))];

    public static TheoryData<string> Names => [.. All];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_touches_only_the_keys_that_it_was_given(string name) =>
        ScriptRules.TouchesGivenKeysOnly(Read(name), Beside(name)).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_script_declares_its_keys_in_its_head(string name) => ScriptRules.DeclaresItsKeys(Read(name), Beside(name)).Should().BeEmpty();

    [Theory]
    [InlineData("redis.call('GET', KEYS[1] .. ':mark')")]
    [InlineData("redis.call('GET', ARGV[1] .. KEYS[1])")]
    [InlineData("redis.call('GET', KEYS[1] .. KEYS[2])")]
    [InlineData("redis.call('GET', KEYS[1] or ARGV[1])")]
    [InlineData("redis.call('GET', '{dbos:0}:agent')")]
    [InlineData("redis.call('GET', unheard_of)")]
    [InlineData("redis.pcall('DEL', ARGV[1])")]
    [InlineData("local key = 'dbos:' .. ARGV[1]\nredis.call('GET', key)")]
    [InlineData("local key = KEYS[1]\nkey = key .. ':mark'\nredis.call('GET', key)")]
    [InlineData("local key = KEYS[1]\nif #KEYS > 1 then key = ARGV[1] end\nredis.call('GET', key)")]
    [InlineData("local argument, key = KEYS[1], ARGV[1]\nredis.call('GET', key)")]
    [InlineData("local function key(i) return ARGV[i] end\nredis.call('GET', key(1))")]
    [InlineData("local function key(i) if i then return KEYS[i] end return 'x' end\nlocal first = key(1)\nredis.call('GET', first)")]
    [InlineData("local function key(i) return KEYS[i] end\nlocal first = key(1) .. key(2)\nredis.call('GET', first)")]
    [InlineData("local function get(key) redis.call('GET', key) end\nget('x')")]
    [InlineData("local q = {index = KEYS[1]}\nq.index = ARGV[1]\nredis.call('GET', q.index)")]
    [InlineData("local q = {index = KEYS[1]}\nq['index'] = ARGV[1]\nredis.call('GET', q.index)")]
    [InlineData("local q = {index = KEYS[1], all = {index = ARGV[1]}}\nredis.call('GET', q.index)")]
    [InlineData("local some = {}\nsome[1] = KEYS[1]\nsome[2] = ARGV[1]\nredis.call('GET', some[1])")]
    [InlineData("local some = {ARGV[1]}\nredis.call('GET', some[1])")]
    [InlineData("for _, key in ipairs(ARGV) do redis.call('GET', key) end")]
    [InlineData("local some = {}\nsome[1] = ARGV[1]\nfor _, key in ipairs(some) do redis.call('GET', key) end")]
    [InlineData("redis.call(ARGV[1], KEYS[1])")]
    [InlineData("local call = redis.call")]
    [InlineData("redis.call('FLUSHALL')")]
    [InlineData("redis.call('KEYS', '*')")]
    [InlineData("redis.call('SCAN', 0)")]
    public void A_key_that_was_not_given_is_found(string script) => ScriptRules.TouchesGivenKeysOnly(script).Should().ContainSingle();

    [Theory]
    [InlineData("-- a comment may join KEYS[1] .. ':mark' and redis.call('GET', 'it')")]
    [InlineData("local time = redis.call('TIME')")]
    [InlineData("redis.call('PUBLISH', ARGV[1], 'a channel is no key')")]
    [InlineData("redis.call('SET', KEYS[1], ARGV[1] .. 'x', 'EX', 60)")]
    [InlineData("redis.call('SET', KEYS[key + 2 + i], ARGV[1])")]
    [InlineData("local argument, key = ARGV[1], KEYS[1]\nredis.call('GET', key)")]
    [InlineData("for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end")]
    [InlineData("local function key() return KEYS[1] end\nlocal first = key()\nredis.call('GET', first)")]
    [InlineData("local q = {index = KEYS[1], score = ARGV[1]}\nredis.call('ZREM', q.index, q.score)")]
    [InlineData("local function all() local some = {} some[1] = KEYS[1] return some end\nfor _, key in ipairs(all()) do redis.call('GET', key) end")]
    [InlineData("local some = {}\nfor i = 1, 2 do some[i] = KEYS[i] end\nfor _, key in ipairs(some) do redis.call('GET', key) end")]
    public void A_key_that_was_given_is_not(string script) => ScriptRules.TouchesGivenKeysOnly(script).Should().BeEmpty();

    [Fact]
    public void A_field_of_keys_is_one_in_every_script_that_it_may_be_put_together_with()
    {
        const string Uses = "local function first(q) return redis.call('GET', q.index) end";

        ScriptRules.TouchesGivenKeysOnly(Uses, "first({index = KEYS[1]})").Should().BeEmpty();
        ScriptRules.TouchesGivenKeysOnly(Uses, "first({index = KEYS[1]})", "first({index = ARGV[1]})").Should().ContainSingle();
        ScriptRules.TouchesGivenKeysOnly(Uses, "local index = KEYS[1]").Should().ContainSingle();
    }

    [Theory]
    [InlineData("-- Gets.\n--\n-- KEYS  1 record   2 mark\n-- ARGV  3 lifetime\n\nreturn KEYS[3]", "KEYS[3]")]
    [InlineData("-- KEYS  1 record\n\nreturn KEYS[i]", "KEYS[i]")]
    [InlineData("-- KEYS  1 record\n-- ARGV  for each record: a value\n\nreturn KEYS[i + 1]", "KEYS[i+1]")]
    [InlineData("-- KEYS  1 record\n\nreturn unpack(KEYS)", "KEYS[]")]
    [InlineData("return KEYS[1]", "KEYS[1]")]
    public void A_key_that_the_head_does_not_declare_is_found(string script, string key) =>
        ScriptRules.DeclaresItsKeys(script).Should().Equal(key);

    [Theory]
    [InlineData("-- KEYS  1 record   2 mark\n\nif #KEYS > 1 then return KEYS[2] end")]
    [InlineData("-- KEYS  1 log\n--       then for each commit: record\n-- ARGV  1 one\n\nreturn KEYS[i + 1]")]
    public void A_key_that_the_head_declares_is_not(string script) => ScriptRules.DeclaresItsKeys(script).Should().BeEmpty();

    [Fact]
    public void A_script_that_reads_keys_through_a_function_of_another_declares_them_itself()
    {
        const string Reads = "-- KEYS  one after the other\nlocal function next_key() i = i + 1 return KEYS[i] end";

        ScriptRules.DeclaresItsKeys("-- KEYS  1 log\nlocal record = next_key()", Reads).Should().Equal("next_key()");
        ScriptRules.DeclaresItsKeys("-- KEYS  1 log   then for each commit: record\nlocal record = next_key()", Reads).Should().BeEmpty();
        ScriptRules.TouchesGivenKeysOnly("local record = next_key()\nredis.call('DEL', record)", Reads).Should().BeEmpty();
        ScriptRules.TouchesGivenKeysOnly("local record = next_key()\nredis.call('DEL', record)").Should().ContainSingle();
    }

    private static string[] Beside(string name) => [.. All.Where(other => other != name).Select(Read)];

    private static string Read(string name)
    {
        using var reader = new StreamReader(Product.Infrastructure.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
