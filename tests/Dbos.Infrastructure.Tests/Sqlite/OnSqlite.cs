using Dbos.Infrastructure.Tests.Agents;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Events;
using Dbos.Infrastructure.Tests.ModuleStates;
using Dbos.Infrastructure.Tests.Results;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Tests.Tasks;

namespace Dbos.Infrastructure.Tests.Sqlite;

public sealed class CommitOnSqlite(SqliteEngine engine) : CommitTests(engine), IClassFixture<SqliteEngine>;

public sealed class TakeOnSqlite(SqliteEngine engine) : TakeTests(engine), IClassFixture<SqliteEngine>;

public sealed class IndexOnSqlite(SqliteEngine engine) : IndexTests(engine), IClassFixture<SqliteEngine>;

public sealed class EventCapOnSqlite(SqliteEngine engine) : EventCapTests(engine), IClassFixture<SqliteEngine>;

public sealed class AgentRepositoryOnSqlite(SqliteEngine engine) : AgentRepositoryTests(engine), IClassFixture<SqliteEngine>;

public sealed class ModuleStateRepositoryOnSqlite(SqliteEngine engine) : ModuleStateRepositoryTests(engine), IClassFixture<SqliteEngine>;

public sealed class ResultRepositoryOnSqlite(SqliteEngine engine) : ResultRepositoryTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskDeliveryOnSqlite(SqliteEngine engine) : TaskDeliveryTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskEndOnSqlite(SqliteEngine engine) : TaskEndTests(engine), IClassFixture<SqliteEngine>;

public sealed class EventLogOnSqlite(SqliteEngine engine) : EventLogTests(engine), IClassFixture<SqliteEngine>;

public sealed class ListOnSqlite(SqliteEngine engine) : ListTests(engine), IClassFixture<SqliteEngine>;
