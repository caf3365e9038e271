using Dbos.Wire;
using Grpc.Core;
using WireTask = Dbos.Wire.Task;

namespace Dbos.Testing;

/// <summary>Reads of everything there is, page by page.</summary>
public static class WholeStore
{
    private const int PageSize = 2_000;
    private const int MostTrials = 100;

    public static Task<List<Agent>> ListAgents(this AnyReplica caller) => AllPages(
        async place => await caller.Ask((client, options) => client.ListAgentsAsync(new() { PageSize = PageSize, PageToken = place }, options)),
        page => (page.Agents, page.Error, page.NextPageToken));

    public static Task<List<ModuleState>> ListModuleStates(this AnyReplica caller) => AllPages(
        async place => await caller.Ask((client, options) => client.ListModuleStatesAsync(new() { PageSize = PageSize, PageToken = place }, options)),
        page => (page.States, page.Error, page.NextPageToken));

    public static Task<List<MeasurementResult>> ListResults(this AnyReplica caller, string agentId) => AllPages(
        async place => await caller.Ask((client, options) => client.ListResultsAsync(new() { AgentId = agentId, PageSize = PageSize, PageToken = place }, options)),
        page => (page.Results, page.Error, page.NextPageToken));

    public static Task<List<WireTask>> ListTasks(this AnyReplica caller) => AllPages(
        async place => await caller.Ask((client, options) => client.ListTasksAsync(new() { PageSize = PageSize, PageToken = place }, options)),
        page => (page.Tasks, page.Error, page.NextPageToken));

    /// <summary>A check that is broken off is begun again, by the next DBOS.</summary>
    public static async Task<List<Inconsistency>> CheckConsistency(this AnyReplica caller)
    {
        for (var trial = 1; ; trial++)
        {
            try
            {
                return await Check(caller.Client);
            }
            catch (RpcException) when (trial < MostTrials)
            {
                await caller.TurnToTheNext();
            }
        }
    }

    private static async Task<List<Inconsistency>> Check(DBOS.DBOSClient client)
    {
        var found = new List<Inconsistency>();
        using var slices = client.CheckConsistency(new CheckConsistencyRequest());
        await foreach (var slice in slices.ResponseStream.ReadAllAsync())
        {
            Demand(slice.Error);
            found.AddRange(slice.Inconsistencies);
        }

        return found;
    }

    private static async Task<List<TItem>> AllPages<TPage, TItem>(
        Func<string, Task<TPage>> ask, Func<TPage, (IEnumerable<TItem> Items, string Error, string Next)> read)
    {
        var all = new List<TItem>();
        var place = string.Empty;
        do
        {
            var (items, error, next) = read(await ask(place));
            Demand(error);
            all.AddRange(items);
            place = next;
        }
        while (place.Length > 0);

        return all;
    }

    private static void Demand(string error)
    {
        if (error.Length > 0)
        {
            throw new InvalidOperationException($"reading was refused: {error}");
        }
    }
}
