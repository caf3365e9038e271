namespace Dbos.Domain.Agents;

/// <summary>A value of an agent's config. It is compared by its digest, so that a process can remember many agents cheaply.</summary>
/// <param name="Digest">128 bits that stand for the text.</param>
/// <param name="Text">Null: only the digest is remembered.</param>
public readonly record struct ConfigValue(UInt128 Digest, string? Text)
{
    /// <exception cref="InvalidOperationException">Only the digest is remembered.</exception>
    public string RequiredText => Text ?? throw new InvalidOperationException("of a config's value only the digest is remembered");

    public ConfigValue WithoutText() => this with { Text = null };

    public bool Equals(ConfigValue other) => Digest == other.Digest;

    public override int GetHashCode() => Digest.GetHashCode();
}
