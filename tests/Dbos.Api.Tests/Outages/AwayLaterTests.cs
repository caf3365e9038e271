using System.Diagnostics;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Dbos.Api.Tests.Outages;

[Collection(Undisturbed.Name)]
public sealed class AwayLaterTests
{
    private const int CallsAtOnce = 500;
    private const int Connections = 10;

    /// <summary>That it began, and that it is over.</summary>
    private const int LogLinesOfAnOutage = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestReturn = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(Outage.Killed)]
    [InlineData(Outage.Paused)]
    public async Task Every_call_ends_in_3_seconds_and_is_answered_again_5_seconds_after_the_return(Outage outage)
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        (await EveryCall.Send(dbos.Client)).Should().OnlyContain(failure => failure == null);
        var crowd = Enumerable.Repeat(dbos.Connect(Connections), CallsAtOnce / Connections).SelectMany(clients => clients).ToArray();
        (await EveryCall.StoreResults(crowd)).Should().OnlyContain(failure => failure == null);
        var logged = LinesOfLog(dbos);

        await dbos.Redis.Begin(outage);
        await ShouldEndInTime(() => EveryCall.Send(dbos.Client));
        await ShouldEndInTime(() => EveryCall.StoreResults(crowd));
        await Eventually.True(
            async () => await dbos.Server.StatusOf("dbos.DBOS") == ServingStatus.NotServing, Patience, "health tells of the outage");
        (await dbos.Server.StatusOf("liveness")).Should().Be(ServingStatus.Serving);
        await ShouldEndInTime(() => EveryCall.Send(dbos.Client));
        await dbos.Redis.End(outage);

        await Eventually.True(
            async () => (await EveryCall.Send(dbos.Client)).All(failure => failure is null), LongestReturn, "every call is answered");
        await dbos.Server.WaitUntilServing(LongestReturn);
        await Eventually.True(() => LinesOfLog(dbos) - logged >= LogLinesOfAnOutage, Patience, "the end is told too");
        (LinesOfLog(dbos) - logged).Should().Be(LogLinesOfAnOutage, dbos.Server.Process.Output);
    }

    [Fact]
    public async Task A_caller_with_a_sooner_deadline_waits_no_longer()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        await dbos.Redis.Begin(Outage.Paused);
        var since = Stopwatch.StartNew();

        var failure = await FluentActions
            .Awaiting(() => dbos.Client.StoreResultAsync(Requests.Result("request-1"), deadline: DateTime.UtcNow.AddMilliseconds(400)).ResponseAsync)
            .Should().ThrowAsync<RpcException>();

        failure.Which.StatusCode.Should().Be(StatusCode.DeadlineExceeded);
        since.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(1.5));
        await dbos.Redis.End(Outage.Paused);
    }

    private static async Task ShouldEndInTime(Func<Task<RpcException?[]>> calls)
    {
        var since = Stopwatch.StartNew();
        var failures = await calls();
        since.Elapsed.Should().BeLessThan(Patience);
        failures.ShouldAllBeUnavailable();
    }

    private static int LinesOfLog(Deployment dbos) => dbos.Server.Process.Output.Count(c => c == '\n');
}
