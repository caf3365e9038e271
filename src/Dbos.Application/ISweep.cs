namespace Dbos.Application;

/// <summary>
/// Background work on deadlines that have passed. Every replica runs every sweep; the version guard of each
/// commit lets one of them win.
/// </summary>
public interface ISweep
{
    /// <returns>How many deadlines were worked off; 0: nothing is overdue.</returns>
    Task<int> Run(CancellationToken cancellation);
}
