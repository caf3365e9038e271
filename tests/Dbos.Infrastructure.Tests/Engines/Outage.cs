using Dbos.Application;

namespace Dbos.Infrastructure.Tests.Engines;

internal static class Outage
{
    /// <summary>Whether a call is answered now.</summary>
    public static async Task<bool> IsOver(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}
