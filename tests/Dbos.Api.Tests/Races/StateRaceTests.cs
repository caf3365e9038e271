using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Races;

public abstract class StateRaceTests(Deployment dbos)
{
    private const int Writers = 40;
    private const int Rounds = 20;

    [Fact]
    public async Task Of_40_writers_on_one_version_exactly_one_wins_20_times_over()
    {
        var clients = dbos.Connect(Writers);
        for (var round = 0; round < Rounds; round++)
        {
            var requestId = Requests.NewId("request");
            (await clients[0].SetModuleStateAsync(Requests.State(requestId))).Success.Should().BeTrue();

            var replies = await Race(clients, requestId, "completed", expectedVersion: 1);

            var winner = Array.FindIndex(replies, reply => reply.Success);
            replies.Count(reply => reply.Success).Should().Be(1);
            replies[winner].Version.Should().Be(2);
            replies.Where(reply => !reply.Success).Should().OnlyContain(
                reply => reply.Code == ErrorCode.VersionConflict && reply.Error.Contains("version 2") && !reply.Duplicate);
            var stored = (await clients[0].GetModuleStateAsync(new GetModuleStateRequest { RequestId = requestId })).State;
            stored.Version.Should().Be(2);
            stored.Details["writer"].Should().Be(NameOf(winner));
        }
    }

    [Fact]
    public async Task Of_40_first_writers_of_a_request_exactly_one_wins()
    {
        var requestId = Requests.NewId("request");

        var replies = await Race(dbos.Connect(Writers), requestId, "running", expectedVersion: 0);

        replies.Count(reply => reply.Success && reply.Version == 1).Should().Be(1);
        replies.Count(reply => reply.Code == ErrorCode.VersionConflict).Should().Be(Writers - 1);
        (await dbos.Client.ReadEvents("module_state_updated", "request_id", requestId)).Should().ContainSingle();
    }

    [Fact]
    public async Task Writers_that_expect_no_version_are_never_told_of_a_conflict()
    {
        var module = Requests.NewId("module");
        var reports = dbos.Connect(Writers).Select((client, writer) =>
        {
            var report = Requests.State(requestId: string.Empty, "started", timestamp: 1_700_000_000 + writer);
            report.State.ModuleName = module;
            return client.SetModuleStateAsync(report).ResponseAsync;
        });

        var replies = await Task.WhenAll(reports);

        replies.Should().OnlyContain(reply => reply.Success);
        replies.Select(reply => reply.Version).Order().Should().Equal(Enumerable.Range(1, Writers).Select(version => (long)version));
    }

    private static string NameOf(int writer) => $"writer {writer}";

    private static Task<SetModuleStateResponse[]> Race(
        DBOS.DBOSClient[] clients, string requestId, string state, long expectedVersion) =>
        Task.WhenAll(clients.Select((client, writer) =>
        {
            var report = Requests.State(requestId, state);
            report.ExpectedVersion = expectedVersion;
            report.State.Details["writer"] = NameOf(writer);
            return client.SetModuleStateAsync(report).ResponseAsync;
        }));
}

[Collection(SharedRedis.Name)]
public sealed class StateRacesOnRedis(SharedRedis dbos) : StateRaceTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class StateRacesOnCluster(SharedCluster shared) : StateRaceTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class StateRacesOnEmbedded(SharedEmbedded dbos) : StateRaceTests(dbos);
