using Grpc.Core;

namespace Dbos.Soak.Takers;

/// <summary>A taker in a process of its own: takes until it is killed.</summary>
internal static class TakerProcess
{
    private const int AtOnce = 40;
    private static readonly TimeSpan BetweenPolls = TimeSpan.FromMilliseconds(50);

    public static async Task Run(TakerOrder order)
    {
        using var replicas = new AnyReplica(order.Addresses);
        using var journal = new Journal(order.Journal);
        var holder = new Holder(replicas, journal, order.LeaseSeconds);
        await (order.Kind == TakerKind.Polling ? Poll(order, replicas, holder) : Stream(order, replicas, holder));
    }

    private static async Task Poll(TakerOrder order, AnyReplica replicas, Holder holder)
    {
        var request = new ListDueTasksRequest
        {
            Limit = AtOnce, ModuleName = order.Module, VisibilityTimeoutSeconds = order.LeaseSeconds,
        };
        while (true)
        {
            var reply = await replicas.Ask((client, options) => client.ListDueTasksAsync(request, options));
            Demand(reply.Error);
            var taken = reply.Tasks.ToLookup(_ => Holder.Choose());
            foreach (var conduct in taken.Where(some => some.Key != Conduct.Quick))
            {
                foreach (var task in conduct)
                {
                    FinishBeside(holder, task, conduct.Key);
                }
            }

            await holder.FinishTogether([.. taken[Conduct.Quick]]);
            if (reply.Tasks.Count == 0)
            {
                await Task.Delay(BetweenPolls);
            }
        }
    }

    private static async Task Stream(TakerOrder order, AnyReplica replicas, Holder holder)
    {
        var request = new StreamDueTasksRequest
        {
            MaxInflight = AtOnce, ModuleName = order.Module, VisibilityTimeoutSeconds = order.LeaseSeconds,
        };
        while (true)
        {
            try
            {
                using var stream = replicas.Client.StreamDueTasks(request);
                await foreach (var reply in stream.ResponseStream.ReadAllAsync())
                {
                    Demand(reply.Error);
                    foreach (var task in reply.Tasks)
                    {
                        FinishBeside(holder, task, Holder.Choose());
                    }
                }
            }
            catch (RpcException)
            {
                await replicas.TurnToTheNext();
            }
        }
    }

    /// <summary>Nobody waits for it: its fault ends the process, and the soak tells of that.</summary>
    private static async void FinishBeside(Holder holder, WireTask task, Conduct conduct) => await holder.Finish(task, conduct);

    private static void Demand(string error)
    {
        if (error.Length > 0)
        {
            throw new InvalidOperationException($"taking was refused: {error}");
        }
    }
}
