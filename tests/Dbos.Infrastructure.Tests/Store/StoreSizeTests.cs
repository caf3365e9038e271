using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class StoreSizeTests(IEngine engine) : StoreTests(engine)
{
    private const int Added = 4 * 1024 * 1024;

    [Fact]
    public async Task The_store_grows_by_what_it_is_given()
    {
        var before = await Port.Bytes(None);

        await Port.Commit(new Commit(0, "record", 0, new byte[Added]), None);

        ((await Port.Bytes(None)) - before).Should().BeInRange(Added, 4 * Added);
    }
}

public sealed class StoreSizeOnRedis(RedisEngine engine) : StoreSizeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class StoreSizeOnCluster(ClusterEngine engine) : StoreSizeTests(engine);

public sealed class StoreSizeOnSqlite(SqliteEngine engine) : StoreSizeTests(engine), IClassFixture<SqliteEngine>;
