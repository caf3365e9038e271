using System.Diagnostics;
using System.Net.Sockets;
using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Hosting;

[Collection(Undisturbed.Name)]
public sealed class ShutdownTests
{
    private const int CallsInFlight = 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Embedded)]
    public async Task An_idle_DBOS_with_a_connected_client_ends_at_once(StoreKind kind)
    {
        await using var dbos = await Deployment.Start(kind);

        (await Terminate(dbos.Server, Quick)).Should().Be(0);
    }

    [Fact]
    public async Task Calls_in_flight_finish_and_no_new_ones_are_taken()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        dbos.Redis.Pause();
        var calls = Enumerable.Range(0, CallsInFlight)
            .Select(_ => dbos.Client.StoreResultAsync(Requests.Result(Requests.NewId("request"))).ResponseAsync)
            .ToArray();

        // On the same connection: once this is answered, the calls before it have arrived.
        (await dbos.Server.StatusOf("liveness")).Should().NotBeNull();
        calls.Should().OnlyContain(call => !call.IsCompleted);
        var since = Stopwatch.StartNew();
        dbos.Server.Process.Signal(UnixSignal.Terminate);
        await Eventually.True(() => IsRefused(dbos.Server.Port), Longest, "no new connection is taken");
        dbos.Redis.Resume();

        (await Task.WhenAll(calls)).Should().OnlyContain(reply => reply.Success);
        (await dbos.Server.Process.WaitForExit(Longest)).Should().Be(0);
        since.Elapsed.Should().BeLessThan(Longest);
    }

    [Fact]
    public async Task Calls_that_hang_do_not_keep_DBOS_longer_than_10_seconds()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        dbos.Redis.Pause();
        var call = dbos.Client.StoreResultAsync(Requests.Result(Requests.NewId("request"))).ResponseAsync;
        (await dbos.Server.StatusOf("liveness")).Should().NotBeNull();

        (await Terminate(dbos.Server, Longest)).Should().Be(0);

        (await FluentActions.Awaiting(() => call).Should().ThrowAsync<RpcException>())
            .Which.StatusCode.Should().Be(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Embedded)]
    public async Task Under_load_every_write_is_either_answered_or_was_never_begun(StoreKind kind)
    {
        await using var dbos = await Deployment.Start(kind);
        var load = WriteLoad.Start(dbos);
        await load.WaitUntilAcknowledged(200);

        (await Terminate(dbos.Server, Longest)).Should().Be(0);
        var written = await load.Outcome();
        await dbos.Server.Kill();
        await dbos.Server.Restart();

        await dbos.Client.ShouldHoldWhatItAcknowledged(written);
        (await dbos.Client.StoredOf(written.Where(write => !write.Acknowledged))).Should().BeEmpty();
    }

    private static Task<int> Terminate(DbosServer server, TimeSpan patience)
    {
        server.Process.Signal(UnixSignal.Terminate);
        return server.Process.WaitForExit(patience);
    }

    private static async Task<bool> IsRefused(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
