using Grpc.Core;

namespace Dbos.Api.Tests.Outages;

internal static class OutageAssertions
{
    /// <summary>What the client library, Redis or .NET says, and a caller is never to read.</summary>
    private static readonly string[] WordsOfOthers =
        ["SocketFailure", "multiplexer", "EVALSHA", "StackExchange", "Redis", "script", "Exception", "   at ", "Timeout performing"];

    public static void ShouldAllBeUnavailable(this IEnumerable<RpcException?> failures)
    {
        foreach (var failure in failures)
        {
            failure.Should().NotBeNull("no call is answered in an outage");
            failure!.StatusCode.Should().Be(StatusCode.Unavailable, failure.Status.Detail);
            failure.Status.Detail.Should().NotContainAny(WordsOfOthers);
        }
    }
}
