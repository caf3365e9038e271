using Dbos.Api.Tests.Support;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dbos.Api.Tests.BadInput;

public sealed class MalformedMessageTests(OneEmbedded dbos) : IClassFixture<OneEmbedded>
{
    private static readonly Marshaller<byte[]> AsItIs = Marshallers.Create(bytes => bytes, bytes => bytes);

    /// <summary>Field 1, so many bytes long, and then fewer; a field number of 0; a varint that never ends.</summary>
    private static readonly byte[][] Garbage =
        [[0x0a, 0x7f, 0x01], [0x00, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]];

    public static TheoryData<string> Calls => [.. DBOS.Descriptor.Methods.Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Bytes_that_are_no_message_are_a_status_and_DBOS_lives_on(string call)
    {
        using var channel = GrpcChannel.ForAddress($"http://{dbos.Server.Address}");
        var method = new Method<byte[], byte[]>(MethodType.Unary, DBOS.Descriptor.FullName, call, AsItIs, AsItIs);
        foreach (var bytes in Garbage)
        {
            var failure = await FluentActions
                .Awaiting(() => channel.CreateCallInvoker().AsyncUnaryCall(method, host: null, new CallOptions(), bytes).ResponseAsync)
                .Should().ThrowAsync<RpcException>();

            failure.Which.StatusCode.Should().BeOneOf(StatusCode.Internal, StatusCode.InvalidArgument);
            failure.Which.Status.Detail.Should().NotContainAny("   at ", "Exception:", "/src/");
        }

        dbos.Server.Process.HasExited.Should().BeFalse();
        (await dbos.Client.ListAgentsAsync(new ListAgentsRequest())).Error.Should().BeEmpty();
    }
}
