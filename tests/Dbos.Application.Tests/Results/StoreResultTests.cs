using Dbos.Domain.Results;

namespace Dbos.Application.Tests.Results;

public sealed class StoreResultTests : IDisposable
{
    private static readonly MeasurementResult Filled = Samples.Result with
    {
        ReceivedAt = Samples.Second, DbosServerId = "dbos-1", IngestSource = "grpc",
    };

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task What_the_caller_leaves_out_is_filled_in()
    {
        (await dbos.Ask(new StoreResult(Samples.Result))).Value.Should().Be(new Written(1, Duplicate: false));

        ShouldHaveStored(Filled);
    }

    [Fact]
    public async Task What_the_caller_tells_is_kept()
    {
        var told = Samples.Result with { ReceivedAt = 5, DbosServerId = "dbos-2", IngestSource = "file" };
        await dbos.Ask(new StoreResult(told));

        ShouldHaveStored(told);
    }

    [Fact]
    public async Task The_same_result_again_is_a_duplicate()
    {
        StoreAnswers(new Written(1, Duplicate: true));

        (await dbos.Ask(new StoreResult(Samples.Result))).Value.Should().Be(new Written(1, Duplicate: true));
        dbos.Told.Should().BeEmpty();
    }

    [Fact]
    public async Task Other_data_under_the_same_id_are_a_duplicate_that_says_so_and_an_event()
    {
        StoreAnswers(new Written(1, Duplicate: true) { ContentDiffers = true });

        (await dbos.Ask(new StoreResult(Samples.Result))).Value.Should().Be(new Written(1, Duplicate: true) { ContentDiffers = true });
        var told = dbos.Told.Should().ContainSingle().Subject;
        told.Event.Type.Should().Be("replay_differed");
        told.Event.Message.Should().Be("StoreResult was sent again with other content; the first is kept");
        told.Event.Metadata.Should().Equal(("request_id", "request-1"), ("agent_id", "agent-1"));
        told.PartitionId.Should().Be("request-1");
    }

    [Fact]
    public async Task It_is_stored_with_the_event_that_tells_of_it()
    {
        await dbos.Ask(new StoreResult(Samples.Result));

        dbos.Work.Events.Should().ContainSingle().Which.Type.Should().Be("result_stored");
    }

    [Fact]
    public async Task A_result_is_read_by_its_agent_and_its_id()
    {
        dbos.Results.Find("agent-1", "request-1", Arg.Any<CancellationToken>()).Returns(Filled);

        (await dbos.Ask(new GetResult("agent-1", "request-1"))).Value.Should().Be(Filled);
        (await dbos.Ask(new GetResult("agent-2", "request-1"))).Refusal.Should().Be(
            new Refusal(RefusalCode.NotFound, "agent 'agent-2' has no result 'request-1'"));
    }

    [Fact]
    public async Task A_list_is_the_repositorys_page()
    {
        var page = new Page<MeasurementResult>([Filled], new PageCursor(7, "request-1"));
        dbos.Results.List("agent-1", Samples.WholeList, Arg.Any<CancellationToken>()).Returns(page);

        (await dbos.Ask(new ListResults("agent-1", Samples.WholeList))).Value.Should().BeSameAs(page);
    }

    public void Dispose() => dbos.Dispose();

    private void ShouldHaveStored(MeasurementResult result) => dbos.Results.Received(1).Store(result, dbos.Work, Arg.Any<CancellationToken>());

    private void StoreAnswers(Written written) => dbos.Results.Configure().Store(default!, default!, default).ReturnsForAnyArgs(written);
}
