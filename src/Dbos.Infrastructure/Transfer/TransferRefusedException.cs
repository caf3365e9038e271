namespace Dbos.Infrastructure.Transfer;

/// <summary>An export or import that cannot be done as it is asked for: nothing was changed.</summary>
public sealed class TransferRefusedException(string sentence, Exception? cause = null) : Exception(sentence, cause);
