namespace Dbos.Application;

/// <summary>The store did not answer: whether a write happened is unknown. It is safe to send it again.</summary>
public class StoreUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
