using Dbos.Application;

namespace Dbos.Infrastructure.Store;

/// <summary>An outage that may be over in a moment: it was told at once, so that there is time to ask again.</summary>
/// <param name="mayBeDone">Nobody knows whether the store did what it was asked; false: it surely did not.</param>
public sealed class BriefOutageException(string message, Exception? cause, bool mayBeDone)
    : StoreUnavailableException(message, cause)
{
    public bool MayBeDone => mayBeDone;
}
