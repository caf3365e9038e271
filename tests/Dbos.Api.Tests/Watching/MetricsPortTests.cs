using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dbos.Api.Tests.Watching;

/// <summary>What is answered on which port.</summary>
[Collection(WatchedServer.Name)]
public sealed class MetricsPortTests(WatchedServer dbos)
{
    [Theory]
    [InlineData("/metrics", HttpStatusCode.OK)]
    [InlineData("/healthz/live", HttpStatusCode.OK)]
    [InlineData("/healthz/ready", HttpStatusCode.OK)]
    [InlineData("/", HttpStatusCode.NotFound)]
    [InlineData("/dbos.DBOS/GetEvents", HttpStatusCode.NotFound)]
    public async Task The_metrics_port_knows_three_paths(string path, HttpStatusCode status) =>
        (await dbos.StatusOf(path)).Should().Be(status);

    [Fact]
    public async Task gRPC_is_not_served_there()
    {
        using var http = new HttpClient();
        using var call = new ByteArrayContent([0, 0, 0, 0, 0]);
        call.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        using var answer = await http.PostAsync(dbos.Url("/dbos.DBOS/GetEvents"), call);

        answer.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    public async Task The_port_of_gRPC_serves_none_of_it(string path)
    {
        using var http = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await http.GetAsync(new Uri($"http://{dbos.Server.Address}{path}"));

        answer.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_call_that_does_not_exist_is_counted_under_no_name_of_its_own()
    {
        using var channel = GrpcChannel.ForAddress($"http://{dbos.Server.Address}");
        var marshaller = Marshallers.Create(bytes => bytes, bytes => bytes);
        var method = new Method<byte[], byte[]>(MethodType.Unary, "dbos.DBOS", "NoSuchCall", marshaller, marshaller);

        var call = () => channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, []).ResponseAsync;

        (await call.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Unimplemented);
        await Eventually.True(
            async () => (await dbos.Page()).Sum("rpc_server_call_duration_seconds_count", ("rpc_method", "_OTHER"), ("error_type", "UNIMPLEMENTED")) == 1,
            WatchedDeployment.Patience,
            "it is counted");
    }
}
