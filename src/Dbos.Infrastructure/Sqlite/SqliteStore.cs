using System.Net;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Sqlite.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The store port on SQLite, in this process: one file, one partition, one writer. A commit and a take are
/// one transaction each; reads see the last committed state on connections of their own.
/// </summary>
public sealed partial class SqliteStore : IStore, IStoreConnection, IStoreLayout
{
    private readonly StoreSettings settings;
    private readonly TimeProvider clock;
    private readonly SqliteDatabase database;

    public SqliteStore(SqliteDatabase database, StoreSettings settings, TimeProvider clock)
    {
        this.database = database;
        this.settings = settings;
        this.clock = clock;
    }

    public int Partitions => 1;

    public EndPoint? ServerOf(int partition) => null;

    public Task<IReadOnlyList<CommitOutcome>> Commit(IReadOnlyList<Commit> commits, CancellationToken cancellation) =>
        Write<IReadOnlyList<CommitOutcome>>(
            session =>
            {
                var now = clock.GetUtcNow();
                return [.. commits.Select(commit => session.Apply(commit, now))];
            },
            cancellation);

    public Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation) =>
        Write<IReadOnlyList<Delivery>>(session => session.Apply(take, clock.GetUtcNow()), cancellation);

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        Read(session => session.RecordNamed(record.Name));

    public Task<StoredRecord?> FindBare(StoreKey record, CancellationToken cancellation) =>
        Read(session => session.BareRecordNamed(record.Name));

    public Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation) =>
        Read(session => session.MarkNamed(mark.Name, Now));

    public Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => session.Entries(
            "SELECT member, score FROM entry WHERE name = $1 AND (score, member) > ($2, $3) AND score <= $4 ORDER BY score, member LIMIT $5",
            index.Name,
            above?.Score ?? long.MinValue,
            above?.Member ?? string.Empty,
            upTo,
            count));

    public Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => below is null
            ? session.Entries(
                "SELECT member, score FROM entry WHERE name = $1 ORDER BY score DESC, member DESC LIMIT $2",
                index.Name,
                count)
            : session.Entries(
                "SELECT member, score FROM entry WHERE name = $1 AND (score, member) < ($2, $3) ORDER BY score DESC, member DESC LIMIT $4",
                index.Name,
                below.Score,
                below.Member,
                count));

    public Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => session.Entries(
            "SELECT member, score FROM entry WHERE name = $1 AND member > $2 ORDER BY member LIMIT $3",
            index.Name,
            after ?? string.Empty,
            count));

    public Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session =>
        {
            var due = new List<IndexEntry>();
            for (var band = 0; band < Bands.Count && due.Count < count; band++)
            {
                due.AddRange(session.Head(new IndexBand(index.Name, band), upTo, count - due.Count));
            }

            return due;
        });

    public Task<IReadOnlyList<IReadOnlyList<IndexEntry>>> Heads(
        int partition, IReadOnlyList<IndexBand> bands, long upTo, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IReadOnlyList<IndexEntry>>>(session => [.. bands.Select(band => session.Head(band, upTo, count))]);

    public Task<long?> Score(StoreKey index, string member, CancellationToken cancellation) =>
        Read(session => session.ScoreOf(index.Name, member));

    public Task<long> CountEntries(StoreKey index, CancellationToken cancellation) =>
        Read(session => (long)session.Scalar("SELECT count(*) FROM entry WHERE name = $1", index.Name)!);

    public Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation) =>
        Read<IReadOnlyDictionary<string, long>>(session => session
            .ReadAll(row => (row.GetString(0), row.GetInt64(1)), "SELECT name, amount FROM count WHERE bucket = $1", bucket ?? 0)
            .ToDictionary());

    public Task<long> Bytes(CancellationToken cancellation) => Task.FromResult(database.Bytes);

    public Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation) => Read(session =>
    {
        var (names, next) = session.NamesFrom(cursor);
        var kept = from name in names
                   where prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
                   select new StoreKey(0, name);
        return new NameSlice([.. kept], next);
    });

    public Task Restore(Restoration restoration, CancellationToken cancellation) =>
        Write(session => session.Apply(restoration, Now), cancellation);

    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        await Write(session => session.Run("INSERT OR REPLACE INTO probe VALUES (1, $1)", Now), cancellation);
        return await Read(session =>
        {
            var bands = Enumerable.Range(0, Bands.Count).Select(band => session.TurnsDue(band, watch)).ToArray();
            return new Pulse(
                [.. watch.Deadlines.Select(session.EarliestDeadline)],
                [.. bands.SelectMany(turns => turns)])
            {
                CutAt = bands.Where(turns => turns.Count == watch.MostOfABand).Min(turns => (long?)turns[^1].Due),
            };
        });
    }

    public void Tell(IStoreWatcher watcher) => database.Watcher = watcher;

    string IStoreConnection.Name => $"the embedded store in {Path.GetFullPath(settings.DataDirectory)}";

    /// <summary>It is open since it was made; what is left is to look whether it can be served.</summary>
    async Task IStoreConnection.Open(CancellationToken cancellation) =>
        (await Read(session => session.ReadLayout())).CheckServable(settings);

    Task<StoreLayout> IStoreLayout.Open(CancellationToken cancellation) => Read(session => session.ReadLayout());

    /// <summary>What differs is no table that an export reads.</summary>
    IStore IStoreLayout.Older(int schemaVersion) => this;

    ISubjectTransfer<ExportedEvent> IStoreLayout.OlderEvents(int schemaVersion) => new EventTransfer(new SqliteEventStreams(database, clock));

    /// <summary>No other process can have opened it.</summary>
    Task<bool> IStoreLayout.IsServed(CancellationToken cancellation) => Task.FromResult(false);

    Task IStoreLayout.BeginMove(string from, CancellationToken cancellation) => Write(session => session.LayOutAnew(from), cancellation);

    Task IStoreLayout.EndMove(CancellationToken cancellation) => Write(session => session.EndMove(), cancellation);

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
