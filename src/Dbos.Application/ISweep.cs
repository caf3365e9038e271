namespace Dbos.Application;

/// <summary>
/// Background work on deadlines that have passed. Every replica runs every sweep; the version guard of each
/// commit lets one of them win.
/// </summary>
public interface ISweep
{
    /// <returns>How many deadlines this replica worked off; 0: there is nothing for it to do now.</returns>
    Task<int> Run(CancellationToken cancellation);
}
