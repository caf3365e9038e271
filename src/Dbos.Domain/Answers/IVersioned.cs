namespace Dbos.Domain.Answers;

/// <summary>An aggregate that is written only over the version it was decided on.</summary>
public interface IVersioned
{
    /// <summary>0: not stored yet; each write adds one.</summary>
    long Version { get; }
}
