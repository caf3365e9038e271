using Dbos.Domain.Results;

namespace Dbos.Domain.Tests.Results;

public sealed class MeasurementResultTests
{
    [Fact]
    public void A_result_is_stored_as_it_was_received_and_told_with_its_size()
    {
        var decision = MeasurementResult.Store(null, Samples.Result);

        decision.IsReplay.Should().BeFalse();
        decision.Next.Should().BeSameAs(Samples.Result);
        MeasurementResult.Version.Should().Be(1);
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("result_stored");
        told.Message.Should().Be("result request-1 of agent agent-1 stored");
        told.Metadata.Should().Equal(
            ("agent_id", "agent-1"), ("module_name", "unknown"), ("request_id", "request-1"), ("bytes", "3"));
    }

    [Fact]
    public void A_result_that_exists_is_kept_whatever_comes_after_it()
    {
        var decision = MeasurementResult.Store(Samples.Result, Samples.Result with { Data = new byte[] { 9 } });

        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(Samples.Result);
        decision.Events.Should().BeEmpty();
    }

    public static TheoryData<MeasurementResult, bool> Others => new()
    {
        { Samples.Result with { Data = new byte[] { 1, 2, 3 } }, true },
        { Samples.Result with { ReceivedAt = 1 }, true },
        { Samples.Result with { DbosServerId = "dbos-2", IngestSource = "file" }, true },
        { Samples.Result with { Data = new byte[] { 1, 2, 4 } }, false },
        { Samples.Result with { Data = new byte[] { 1, 2 } }, false },
        { Samples.Result with { ModuleName = "ping" }, true },
        { Samples.Result with { Timestamp = Samples.Second + 1 }, true },
        { Samples.Result with { AgentStartTime = 0 }, true },
        { Samples.Result with { AgentRuntimeVersion = "1.3" }, true },
        { Samples.Result with { ModuleRevision = "abd" }, true },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void A_repetition_is_compared_by_its_data_alone(MeasurementResult other, bool same) =>
        Samples.Result.HasSameData(other).Should().Be(same);
}
