using System.Runtime.CompilerServices;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>How work reaches the one writing session, or any reading one: watched where somebody wants to see it.</summary>
public sealed partial class SqliteStore
{
    private const int SweepEvery = 1_000;

    private int writes;

    private async Task Write(
        Action<SqliteSession> change, CancellationToken cancellation, [CallerMemberName] string operation = "") => await Write(
        session =>
        {
            change(session);
            return true;
        },
        cancellation,
        operation);

    private Task<T> Write<T>(
        Func<SqliteSession, T> change, CancellationToken cancellation, [CallerMemberName] string operation = "") => database.Write(
        session =>
        {
            var answer = change(session);
            if (++writes % SweepEvery == 0)
            {
                Sweep(session);
            }

            return answer;
        },
        cancellation,
        operation);

    private Task<T> Read<T>(Func<SqliteSession, T> ask, [CallerMemberName] string operation = "") => database.Read(ask, operation);

    /// <summary>Every so many writes, what has outlived its lifetime goes, in the same transaction.</summary>
    private void Sweep(SqliteSession session)
    {
        var now = Now;
        session.Run("DELETE FROM mark WHERE name IN (SELECT name FROM mark WHERE expires_at <= $1 LIMIT 10000)", now);
        session.Run(
            "DELETE FROM count WHERE bucket > 0 AND bucket < $1", CountBuckets.Of(clock.GetUtcNow() - CountBuckets.Kept));
    }
}
