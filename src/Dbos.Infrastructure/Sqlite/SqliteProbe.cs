using Dbos.Infrastructure.Sqlite.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>The embedded store as a whole: its probe of each second, and its layout.</summary>
public sealed class SqliteProbe(SqliteDatabase database, StoreSettings settings, TimeProvider clock) : IStoreProbe, IStoreConnection, IStoreLayout
{
    private const int ProbesBetweenSweeps = 10;
    private const int MostMarksAtOnce = 10_000;

    private int probes;

    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var sweeps = ++probes % ProbesBetweenSweeps == 0;
        await database.Write(
            session =>
            {
                if (sweeps)
                {
                    Sweep(session);
                }

                return session.Run("INSERT OR REPLACE INTO probe VALUES (1, $1)", Now);
            },
            cancellation);
        return await database.Read(session =>
        {
            var bands = Enumerable.Range(0, Bands.Count).Select(band => session.TurnsDue(band, watch)).ToArray();
            return new Pulse(
                [.. watch.Deadlines.Select(session.EarliestDeadline)],
                [.. bands.SelectMany(turns => turns)])
            {
                CutAt = bands.Where(turns => turns.Count == watch.MostOfABand).Min(turns => (long?)turns[^1].Due),
            };
        },
        work: StoreWork.Write);
    }

    public bool IsOpen { get; private set; }

    public Task<long> Bytes(CancellationToken cancellation) => Task.FromResult(database.Bytes);

    public void Tell(IStoreWatcher watcher) => database.Watcher = watcher;

    string IStoreConnection.Name => $"the embedded store in {Path.GetFullPath(settings.DataDirectory)}";

    /// <summary>It is open since it was made; what is left is to look whether it can be served.</summary>
    async Task IStoreConnection.Open(CancellationToken cancellation)
    {
        (await database.Read(session => session.ReadLayout())).CheckServable(settings);
        IsOpen = true;
    }

    Task<StoreLayout> IStoreLayout.Open(CancellationToken cancellation) => database.Read(session => session.ReadLayout());

    /// <summary>No other process can have opened it.</summary>
    Task<bool> IStoreLayout.IsServed(CancellationToken cancellation) => Task.FromResult(false);

    Task IStoreLayout.BeginMove(string from, CancellationToken cancellation) => database.Write(
        session =>
        {
            session.LayOutAnew(from);
            return true;
        },
        cancellation);

    Task IStoreLayout.EndMove(CancellationToken cancellation) => database.Write(
        session =>
        {
            session.EndMove();
            return true;
        },
        cancellation);

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What has outlived its lifetime goes.</summary>
    private void Sweep(SqliteSession session)
    {
        session.Run("DELETE FROM mark WHERE name IN (SELECT name FROM mark WHERE expires_at <= $1 LIMIT $2)", Now, MostMarksAtOnce);
        session.Run("DELETE FROM count WHERE bucket > 0 AND bucket < $1", CountBuckets.Of(clock.GetUtcNow() - CountBuckets.Kept));
    }
}
