namespace Dbos.Application.Pipeline;

/// <summary>
/// Background work of each second. Every replica runs every sweep. Where one ends what is overdue, the commit checks each deadline
/// again, so that one replica wins.
/// </summary>
public interface ISweep
{
    /// <returns>How many deadlines this replica worked off; 0: there is nothing more for it to do in this second.</returns>
    Task<int> Run(CancellationToken cancellation);
}
