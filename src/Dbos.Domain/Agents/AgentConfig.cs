namespace Dbos.Domain.Agents;

/// <summary>
/// An agent's config, and what heartbeats have shown of its keys. A key whose value is another one in each heartbeat, as a timestamp is,
/// is volatile: its changes are no events (docs/decisions/0022-volatile-config-keys.md). That a key is absent is a value like any other.
/// </summary>
/// <param name="steady">The values of the keys that are not volatile.</param>
/// <param name="changing">In how many heartbeats up to the latest a key that is not volatile has changed; only those that did.</param>
/// <param name="volatileKeys">The volatile keys with their values.</param>
public sealed class AgentConfig(
    IReadOnlyDictionary<string, ConfigValue> steady,
    IReadOnlyDictionary<string, int> changing,
    IReadOnlyDictionary<string, VolatileKey> volatileKeys)
{
    /// <summary>A key is volatile from its third change in as many heartbeats on.</summary>
    public const int ChangesOfVolatile = 3;

    /// <summary>A volatile key is steady again when so many further heartbeats had the same value.</summary>
    public const int HeartbeatsOfSteady = 10;

    private static readonly Dictionary<string, int> NoneChanging = [];
    private static readonly Dictionary<string, VolatileKey> NoneVolatile = [];

    public static readonly AgentConfig Empty = new(new Dictionary<string, ConfigValue>());

    public AgentConfig(IReadOnlyDictionary<string, ConfigValue> first)
        : this(first, NoneChanging, NoneVolatile)
    {
    }

    /// <summary>The same instance as long as nothing in it changes.</summary>
    public IReadOnlyDictionary<string, ConfigValue> Steady => steady;

    /// <inheritdoc cref="Steady"/>
    public IReadOnlyDictionary<string, int> Changing => changing;

    /// <inheritdoc cref="Steady"/>
    public IReadOnlyDictionary<string, VolatileKey> Volatile => volatileKeys;

    /// <summary>All keys that are present.</summary>
    public IEnumerable<KeyValuePair<string, ConfigValue>> Values => steady.Concat(
        volatileKeys.SelectMany(key => key.Value.Value is { } value ? [KeyValuePair.Create(key.Key, value)] : Array.Empty<KeyValuePair<string, ConfigValue>>()));

    /// <summary>What is remembered from one heartbeat to the next: values without their texts.</summary>
    public AgentConfig WithoutTexts() => new(
        steady.Values.All(value => value.Text is null) ? steady : steady.ToDictionary(entry => entry.Key, entry => entry.Value.WithoutText()),
        changing,
        volatileKeys.Values.All(key => key.Value?.Text is null)
            ? volatileKeys
            : volatileKeys.ToDictionary(entry => entry.Key, entry => entry.Value with { Value = entry.Value.Value?.WithoutText() }));

    /// <summary>The config after a heartbeat with the whole config. Values that differ from this one carry their texts.</summary>
    public ConfigChange Hear(IReadOnlyDictionary<string, ConfigValue> told)
    {
        var merge = new Merge(this, told);
        var known = 0;
        foreach (var (key, value) in told)
        {
            known += steady.ContainsKey(key) || volatileKeys.ContainsKey(key) ? 1 : 0;
            merge.Hear(key, value);
        }

        if (known < steady.Count + volatileKeys.Count)
        {
            foreach (var key in steady.Keys.Concat(volatileKeys.Keys).Where(key => !told.ContainsKey(key)))
            {
                merge.Hear(key, told: null);
            }
        }

        return merge.Result;
    }

    /// <summary>Copies only what changes.</summary>
    private sealed class Merge(AgentConfig known, IReadOnlyDictionary<string, ConfigValue> allTold)
    {
        private readonly List<string> changed = [];
        private Dictionary<string, ConfigValue>? steady;
        private Dictionary<string, int>? changing;
        private Dictionary<string, VolatileKey>? volatileKeys;

        public ConfigChange Result => new(
            new AgentConfig(
                steady ?? known.Steady,
                changing ?? (known.Changing.Count > 0 ? NoneChanging : known.Changing),
                volatileKeys ?? known.Volatile),
            [.. changed.Order(StringComparer.Ordinal)]);

        /// <summary>Reported values carry texts, which stored values may lack. Absent keys are taken out anyway.</summary>
        private Dictionary<string, ConfigValue> SteadyToChange => steady ??=
            known.Steady.Keys.Where(allTold.ContainsKey).ToDictionary(key => key, key => allTold[key]);

        private Dictionary<string, VolatileKey> VolatileToChange => volatileKeys ??= new(known.Volatile);

        /// <param name="told">Null: the key is absent.</param>
        public void Hear(string key, ConfigValue? told)
        {
            if (known.Volatile.TryGetValue(key, out var before))
            {
                HearVolatile(key, before, told);
            }
            else if (known.Steady.TryGetValue(key, out var value) ? value != told : told is not null)
            {
                Change(key, told);
            }
        }

        private void HearVolatile(string key, VolatileKey before, ConfigValue? told)
        {
            var same = before.Value == told ? before.Same + 1 : 0;
            if (same < HeartbeatsOfSteady)
            {
                VolatileToChange[key] = new VolatileKey(told, same);
                return;
            }

            VolatileToChange.Remove(key);
            if (told is { } value)
            {
                SteadyToChange[key] = value;
            }
        }

        private void Change(string key, ConfigValue? told)
        {
            var changes = known.Changing.GetValueOrDefault(key) + 1;
            if (changes >= ChangesOfVolatile)
            {
                SteadyToChange.Remove(key);
                VolatileToChange[key] = new VolatileKey(told, Same: 0);
                return;
            }

            changed.Add(key);
            (changing ??= [])[key] = changes;
            if (told is { } value)
            {
                SteadyToChange[key] = value;
            }
            else
            {
                SteadyToChange.Remove(key);
            }
        }
    }
}

/// <param name="Value">Null: the key is absent now.</param>
/// <param name="Same">How many heartbeats had the same value since it changed.</param>
public sealed record VolatileKey(ConfigValue? Value, int Same);

/// <param name="ChangedKeys">Those that are not volatile, sorted.</param>
public sealed record ConfigChange(AgentConfig Next, IReadOnlyList<string> ChangedKeys);
