using Dbos.Api.Tests.Support;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;

namespace Dbos.Api.Tests.Watching;

/// <summary>Tools may ask a DBOS in Development which calls it knows; others tell nobody.</summary>
[Collection(WatchedServer.Name)]
public sealed class ReflectionTests(WatchedServer development, OneEmbedded production) : IClassFixture<OneEmbedded>
{
    [Fact]
    public async Task In_Development_the_service_describes_itself() =>
        (await ServicesOf(development.Server)).Should().Contain("dbos.DBOS");

    [Fact]
    public async Task In_production_it_does_not()
    {
        var asking = () => ServicesOf(production.Server);

        (await asking.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Unimplemented);
    }

    private static async Task<string[]> ServicesOf(DbosServer server)
    {
        using var channel = GrpcChannel.ForAddress($"http://{server.Address}");
        using var reflection = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = string.Empty });
        await reflection.RequestStream.CompleteAsync();
        (await reflection.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(WatchedDeployment.Patience)).Should().BeTrue();
        return [.. reflection.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)];
    }
}
