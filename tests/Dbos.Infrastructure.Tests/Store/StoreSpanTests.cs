using System.Diagnostics;
using Dbos.Application;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class StoreSpanTests(IEngine engine) : StoreTests(engine)
{
    protected static StoreResult Stored { get; } = Given.Result();

    protected static Task<MeasurementResult?> Find(OpenStore dbos, string id = "r1") => dbos.Get<IResultRepository>().Find("a1", id, None);

    [Fact]
    public async Task What_a_traced_caller_asks_at_one_time_are_spans_beside_each_other()
    {
        using var caller = new TracedCaller();

        var find = Find(Dbos);
        Activity.Current.Should().BeSameAs(caller.Span, "who asks for two things does not ask for one within the other");
        await Task.WhenAll(find, Find(Dbos, "r2"), Find(Dbos, "r3"));

        Activity.Current.Should().BeSameAs(caller.Span);
        caller.Children.Should().HaveCount(3).And.OnlyContain(span =>
            span.Kind == ActivityKind.Client && span.Status == ActivityStatusCode.Unset
            && span.GetTagItem("dbos.partition") is int && span.GetTagItem("db.system.name") != null
            && span.DisplayName.StartsWith((string)span.GetTagItem("db.operation.name")!));
    }

    [Fact]
    public async Task What_nobody_traces_has_no_span()
    {
        using var listener = new TracedCaller();
        Activity.Current = null;

        await Dbos.Probe();
        await Find(Dbos);

        listener.Children.Should().BeEmpty();
    }
}

public sealed class StoreSpansOnRedis(RedisEngine engine) : StoreSpanTests(engine), IClassFixture<RedisEngine>
{
    [Fact]
    public async Task A_write_that_is_sent_again_has_a_span_for_each_trial()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        using var caller = new TracedCaller();
        proxy.CutAt(CutPoint.BeforeReply, Bytes("\"type\":\"result_stored\""));

        (await dbos.Send(Stored)).Value.Duplicate.Should().BeFalse();

        var trials = caller.All.Where(span => span.Kind == ActivityKind.Client).ToArray();
        trials.Should().HaveCountGreaterThan(1).And.OnlyContain(span => span.DisplayName == "EVALSHA store_result");
        (trials[0].Status, trials[0].GetTagItem("error.type")).Should().Be((ActivityStatusCode.Error, "StackExchange.Redis.RedisConnectionException"));
        trials[^1].Status.Should().Be(ActivityStatusCode.Unset);
    }

    [Fact]
    public async Task A_traced_caller_too_is_told_of_an_outage()
    {
        var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        using var caller = new TracedCaller();
        await proxy.DisposeAsync();

        var find = () => Find(dbos);

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
        const int Results = 60;
        using var caller = new TracedCaller();

        await Task.WhenAll(Enumerable.Range(0, Results).Select(number => Find(Dbos, $"r{number}")));

        caller.Children.Select(span => span.GetTagItem("server.port")).Should().HaveCount(Results);
        caller.Children.Select(span => span.GetTagItem("server.port")).Distinct().Should().HaveCount(3, "there are three masters");
    }
}

public sealed class StoreSpansOnSqlite(SqliteEngine engine) : StoreSpanTests(engine), IClassFixture<SqliteEngine>;
