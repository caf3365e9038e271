using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class CommitOnRedis(RedisEngine engine) : CommitTests(engine), IClassFixture<RedisEngine>;

public sealed class TakeOnRedis(RedisEngine engine) : TakeTests(engine), IClassFixture<RedisEngine>;

public sealed class IndexOnRedis(RedisEngine engine) : IndexTests(engine), IClassFixture<RedisEngine>;

public sealed class EventCapOnRedis(RedisEngine engine) : EventCapTests(engine), IClassFixture<RedisEngine>;
