using System.Diagnostics;
using Dbos.Application;
using Dbos.Application.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>What callers are promised while Redis is away, and when it is back.</summary>
[Collection(Undisturbed.Name)]
public sealed class RedisOutageTests : IAsyncLifetime
{
    private const int Calls = 100;
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PromisedBack = TimeSpan.FromSeconds(5);

    private readonly RedisEngine engine = new();
    private OpenStore dbos = null!;

    public async Task InitializeAsync()
    {
        await engine.InitializeAsync();
        dbos = await engine.Open(new OpenOptions(), engine.Server.Address);
        await Write("first");
    }

    public async Task DisposeAsync()
    {
        await dbos.DisposeAsync();
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task While_Redis_hangs_every_call_ends_in_time_and_it_is_served_again_soon_after()
    {
        engine.Server.Pause();
        var waits = await Task.WhenAll(Enumerable.Range(0, Calls).Select(number => Refused($"hanging {number}")));
        engine.Server.Resume();

        waits.Should().OnlyContain(wait => wait < Promised);
        (await UntilServed()).Should().BeLessThan(PromisedBack);
    }

    [Fact]
    public async Task What_Redis_did_when_nobody_waited_for_it_any_more_is_done_once()
    {
        // Redis knows the script from then on, so that the next call is whole in what is sent at once.
        await dbos.Send(Given.Result("before"));
        engine.Server.Pause();
        var send = () => dbos.Send(Given.Result());
        await send.Should().ThrowAsync<StoreUnavailableException>();
        engine.Server.Resume();
        await UntilServed();

        (await send()).Value.Duplicate.Should().BeTrue("it was in Redis's hands already");
        var lines = await dbos.Lines();
        lines.Should().ContainSingle(line => line == "other result:r1");
        lines.Should().ContainSingle(line => line.Contains("\"message\":\"result r1 of agent a1 stored\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_Redis_is_gone_every_call_is_refused_at_once_and_it_is_served_again_soon_after()
    {
        await engine.Server.Kill();
        await Task.WhenAll(Enumerable.Range(0, Calls).Select(number => Refused($"gone {number}")));

        var waits = new List<TimeSpan>();
        for (var number = 0; number < Calls; number++)
        {
            waits.Add(await Refused($"still gone {number}"));
        }

        await engine.Server.Start();
        waits.Should().OnlyContain(wait => wait < TimeSpan.FromMilliseconds(250));
        waits.Order().ElementAt(Calls / 2).Should().BeLessThan(TimeSpan.FromMilliseconds(10));
        (await UntilServed()).Should().BeLessThan(PromisedBack);
    }

    [Fact]
    public async Task What_was_acknowledged_before_Redis_was_stopped_is_there_after_its_return()
    {
        await engine.Server.Stop();
        await engine.Server.Start();
        await UntilServed();

        (await dbos.Send(new GetResult("a1", "first"))).IsRefused.Should().BeFalse();
    }

    /// <summary>How long the refusal took; not on xunit's two threads, where it would wait for other tests too.</summary>
    private Task<TimeSpan> Refused(string id) => Task.Run(async () =>
    {
        var since = Stopwatch.StartNew();
        var write = () => Write(id);
        await write.Should().ThrowAsync<StoreUnavailableException>();
        return since.Elapsed;
    });

    private Task<TimeSpan> UntilServed()
    {
        var number = 0;
        return Task.Run(() => Eventually.True(
            () => Outage.IsOver(() => Write($"after {number++}")), TimeSpan.FromSeconds(15), "writes succeed"));
    }

    private async Task Write(string id) => (await dbos.Send(Given.Result(id))).Refusal.Should().BeNull();
}
