namespace Dbos.Application.Pipeline;

/// <summary>The marks that commits have set.</summary>
public interface IIdempotencyMarks
{
    /// <param name="recordId">The id of the record that the command writes.</param>
    /// <returns>What the first call was answered; null: there was none.</returns>
    Task<FirstAnswer?> Find(IdempotencyMark mark, string recordId, CancellationToken cancellation);
}

/// <param name="Version">The version that the first call made.</param>
/// <param name="ContentDiffers">The first call said other things.</param>
public sealed record FirstAnswer(long Version, bool ContentDiffers);
