using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class StoreSizeTests(IEngine engine) : StoreTests(engine)
{
    private const int Added = 3 * 1024 * 1024;

    [Fact]
    public async Task The_store_grows_by_what_it_is_given()
    {
        var probe = Dbos.Get<IStoreProbe>();
        var before = await probe.Bytes(None);

        (await Dbos.Send(Given.Result("r1", "a1", new byte[Added]))).Refusal.Should().BeNull();

        ((await probe.Bytes(None)) - before).Should().BeInRange(Added, 4 * Added);
    }
}

public sealed class StoreSizeOnRedis(RedisEngine engine) : StoreSizeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class StoreSizeOnCluster(ClusterEngine engine) : StoreSizeTests(engine);

public sealed class StoreSizeOnSqlite(SqliteEngine engine) : StoreSizeTests(engine), IClassFixture<SqliteEngine>;
