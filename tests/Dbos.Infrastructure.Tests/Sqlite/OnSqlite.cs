using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Sqlite;

public sealed class CommitOnSqlite(SqliteEngine engine) : CommitTests(engine), IClassFixture<SqliteEngine>;

public sealed class TakeOnSqlite(SqliteEngine engine) : TakeTests(engine), IClassFixture<SqliteEngine>;

public sealed class IndexOnSqlite(SqliteEngine engine) : IndexTests(engine), IClassFixture<SqliteEngine>;

public sealed class EventCapOnSqlite(SqliteEngine engine) : EventCapTests(engine), IClassFixture<SqliteEngine>;
