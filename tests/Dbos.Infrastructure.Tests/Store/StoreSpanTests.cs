using System.Diagnostics;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class StoreSpanTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task What_a_traced_caller_asks_at_one_time_are_spans_beside_each_other()
    {
        using var caller = new TracedCaller();

        var commit = Port.Commit(new Commit(0, "agent:a1", 0, Bytes("{}")), None);
        Activity.Current.Should().BeSameAs(caller.Span, "who asks for two things does not ask for one within the other");
        await Task.WhenAll(commit, Port.Find(new StoreKey(0, "agent:a1"), None), Port.Lowest(new StoreKey(0, "agents"), null, 1, 1, None));

        Activity.Current.Should().BeSameAs(caller.Span);
        caller.Children.Should().HaveCount(3).And.OnlyContain(span =>
            span.Kind == ActivityKind.Client && span.Status == ActivityStatusCode.Unset
            && Equals(span.GetTagItem("dbos.partition"), 0) && span.GetTagItem("db.system.name") != null
            && span.DisplayName.StartsWith((string)span.GetTagItem("db.operation.name")!));
    }

    [Fact]
    public async Task What_nobody_traces_has_no_span()
    {
        using var listener = new TracedCaller();
        Activity.Current = null;

        await Port.Probe(Given.Watch, None);
        await Port.Find(new StoreKey(0, "agent:a1"), None);

        listener.Children.Should().BeEmpty();
    }
}

public sealed class StoreSpansOnRedis(RedisEngine engine) : StoreSpanTests(engine), IClassFixture<RedisEngine>
{
    [Fact]
    public async Task A_commit_that_is_sent_again_has_a_span_for_each_trial()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        using var caller = new TracedCaller();
        proxy.CutAt(CutPoint.BeforeReply, Bytes("a document"));

        (await dbos.Port.Commit(new Commit(0, "agent:a1", 0, Bytes("a document")), None)).Should().Be(CommitOutcome.Done.Instance);

        caller.Children.Should().HaveCountGreaterThan(1).And.OnlyContain(span => span.DisplayName == "EVALSHA commit");
        var (first, last) = (caller.Children.First(), caller.Children.Last());
        (first.Status, first.GetTagItem("error.type")).Should().Be((ActivityStatusCode.Error, "StackExchange.Redis.RedisConnectionException"));
        last.Status.Should().Be(ActivityStatusCode.Unset);
    }

    [Fact]
    public async Task A_traced_caller_too_is_told_of_an_outage()
    {
        var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        using var caller = new TracedCaller();
        await proxy.DisposeAsync();

        var find = () => dbos.Port.Find(new StoreKey(0, "agent:a1"), None);

        await find.Should().ThrowAsync<StoreUnavailableException>();
        await find.Should().ThrowAsync<StoreUnavailableException>("nobody is connected by now");
        caller.Children.Should().NotBeEmpty().And.OnlyContain(span => span.Status == ActivityStatusCode.Error);
    }
}

[Collection(ClusterEngine.Name)]
public sealed class StoreSpansOnCluster(ClusterEngine engine) : StoreSpanTests(engine)
{
    [Fact]
    public async Task A_span_tells_which_node_was_asked()
    {
        using var caller = new TracedCaller();

        await Task.WhenAll(Enumerable.Range(0, Port.Partitions).Select(partition => Port.Find(new StoreKey(partition, "agent:a1"), None)));

        caller.Children.Select(span => span.GetTagItem("server.port")).Should().HaveCount(Port.Partitions);
        caller.Children.Select(span => span.GetTagItem("server.port")).Distinct().Should().HaveCount(3, "there are three masters");
    }
}

public sealed class StoreSpansOnSqlite(SqliteEngine engine) : StoreSpanTests(engine), IClassFixture<SqliteEngine>;
