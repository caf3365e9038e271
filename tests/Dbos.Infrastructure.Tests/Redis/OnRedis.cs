using Dbos.Infrastructure.Tests.Agents;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Events;
using Dbos.Infrastructure.Tests.ModuleStates;
using Dbos.Infrastructure.Tests.Results;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Tests.Tasks;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class CommitOnRedis(RedisEngine engine) : CommitTests(engine), IClassFixture<RedisEngine>;

public sealed class TakeOnRedis(RedisEngine engine) : TakeTests(engine), IClassFixture<RedisEngine>;

public sealed class IndexOnRedis(RedisEngine engine) : IndexTests(engine), IClassFixture<RedisEngine>;

public sealed class EventCapOnRedis(RedisEngine engine) : EventCapTests(engine), IClassFixture<RedisEngine>;

public sealed class AgentRepositoryOnRedis(RedisEngine engine) : AgentRepositoryTests(engine), IClassFixture<RedisEngine>;

public sealed class ModuleStateRepositoryOnRedis(RedisEngine engine) : ModuleStateRepositoryTests(engine), IClassFixture<RedisEngine>;

public sealed class ResultRepositoryOnRedis(RedisEngine engine) : ResultRepositoryTests(engine), IClassFixture<RedisEngine>;

public sealed class TaskDeliveryOnRedis(RedisEngine engine) : TaskDeliveryTests(engine), IClassFixture<RedisEngine>;

public sealed class TaskEndOnRedis(RedisEngine engine) : TaskEndTests(engine), IClassFixture<RedisEngine>;

public sealed class EventLogOnRedis(RedisEngine engine) : EventLogTests(engine), IClassFixture<RedisEngine>;

public sealed class ListOnRedis(RedisEngine engine) : ListTests(engine), IClassFixture<RedisEngine>;
