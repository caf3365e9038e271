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

    /// <summary>What its log tells of outages, in order: "is away" and "is back".</summary>
    public static IEnumerable<string> OutagesTold(this DbosServer server) =>
        from line in server.Process.Output.Split('\n')
        from word in (string[])["is away", "is back"]
        where line.Contains(word, StringComparison.Ordinal)
        select word;
}
