using System.Net;
using System.Net.Sockets;
using Dbos.Chaos.Clients;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dbos.Chaos.Tests;

public sealed class RecorderTests
{
    [Fact]
    public async Task A_connection_that_is_cut_while_it_is_made_is_nothing_that_DBOS_answered()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        var cutting = CutAll(listener);
        using var channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        var call = async () => await new DBOS.DBOSClient(channel).GetAgentAsync(
            new GetAgentRequest(), deadline: DateTime.UtcNow + TimeSpan.FromSeconds(10));

        var failure = (await call.Should().ThrowAsync<RpcException>()).Which;

        Recorder.CodeOf(failure).Should().Be("NoConnection", $"it is {failure.Status}");
        listener.Stop();
        await cutting;
    }

    [Theory]
    [InlineData(StatusCode.Internal, "Internal")]
    [InlineData(StatusCode.Unavailable, "Unavailable")]
    public void What_DBOS_answered_is_told_as_it_is(StatusCode answered, string code) =>
        Recorder.CodeOf(new RpcException(new Status(answered, "answered"))).Should().Be(code);

    private static async Task CutAll(TcpListener listener)
    {
        try
        {
            while (true)
            {
                (await listener.AcceptTcpClientAsync()).Dispose();
            }
        }
        catch (SocketException)
        {
            // It was stopped.
        }
    }
}
