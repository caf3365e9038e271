namespace Dbos.Application.Pipeline;

/// <summary>
/// Background work on deadlines that have passed. Every replica runs every sweep; the commit checks each deadline again, so that
/// one replica wins.
/// </summary>
public interface ISweep
{
    /// <returns>How many deadlines this replica worked off; 0: there is nothing for it to do now.</returns>
    Task<int> Run(CancellationToken cancellation);
}
