using Grpc.Core;

namespace Dbos.Api.Tests.Support;

/// <summary>Parallel writers of unique ids, each writing until it is cut off or stopped, and what became of every write.</summary>
public sealed class WriteLoad
{
    private const int Writers = 12;

    private readonly IReadOnlyList<Kind> kinds;
    private readonly Task<Write[]> writers;
    private int acknowledged;
    private volatile bool isCutOff;
    private volatile bool isStopping;

    private WriteLoad(DBOS.DBOSClient[] clients, IReadOnlyList<Kind> kinds)
    {
        this.kinds = kinds;
        writers = Run(clients);
    }

    public static WriteLoad Start(Deployment dbos) => Start(dbos, Kind.Creations);

    /// <param name="kinds">In turn to each writer.</param>
    public static WriteLoad Start(Deployment dbos, IReadOnlyList<Kind> kinds) => new(dbos.Connect(Writers), kinds);

    /// <param name="kinds">In turn to each writer.</param>
    public static WriteLoad Start(DbosServer dbos, IReadOnlyList<Kind> kinds) =>
        new([.. Enumerable.Range(0, Writers).Select(_ => dbos.Connect())], kinds);

    public int Acknowledged => Volatile.Read(ref acknowledged);

    public Task WaitUntilAcknowledged(int writes) =>
        Eventually.True(() => Acknowledged >= writes, TimeSpan.FromSeconds(30), $"{writes} writes are acknowledged");

    /// <summary>DBOS waits a brief outage out: only a longer one cuts a writer off.</summary>
    public Task WaitUntilCutOff() => Eventually.True(() => isCutOff, TimeSpan.FromSeconds(30), "a writer is cut off");

    /// <summary>Every write that was tried, once all writers are cut off.</summary>
    public Task<Write[]> Outcome() => writers.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Lets every writer that was not cut off end what it is at.</summary>
    public Task<Write[]> Stop()
    {
        isStopping = true;
        return Outcome();
    }

    private async Task<Write[]> Write(Kind kind, DBOS.DBOSClient client)
    {
        var written = new List<Write>();
        while (!isStopping)
        {
            var id = Requests.NewId("load");
            try
            {
                var success = await kind.Send(client, id);
                success.Should().BeTrue("a well-formed write of a new id is not refused ({0} {1})", kind.EventType, id);
                written.Add(new Write(kind, id));
                Interlocked.Increment(ref acknowledged);
            }
            catch (RpcException cutOff)
            {
                written.Add(new Write(kind, id, cutOff.Status));
                isCutOff = true;
                break;
            }
        }

        return [.. written];
    }

    private async Task<Write[]> Run(DBOS.DBOSClient[] clients)
    {
        var all = await Task.WhenAll(clients.Select((client, writer) => Write(kinds[writer % kinds.Count], client)));
        return [.. all.SelectMany(writes => writes)];
    }
}

/// <param name="Failure">Null: it was acknowledged.</param>
public sealed record Write(Kind Kind, string Id, Status? Failure = null)
{
    public bool Acknowledged => Failure is null;
}
