using System.Diagnostics;
using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class LeaseSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task Where_no_lease_has_expired_there_is_nothing_to_do()
    {
        ExpiredAre();

        (await Sweep()).Should().Be(0);
        dbos.TaskCommits.Should().BeEmpty();
    }

    [Fact]
    public async Task Expired_leases_are_returned_or_dead_lettered_together_in_dboss_own_name()
    {
        ExpiredAre(Samples.Inflight, Samples.Inflight with { Id = "task-2", Expiries = 10 });

        (await Sweep()).Should().Be(2);
        var drafts = dbos.TaskCommits.Should().ContainSingle().Subject;
        drafts.Select(draft => (draft.Next.Id, draft.Next.Status, draft.Next.DeadLetterReason)).Should().Equal(
            ("task-1", MeasurementTaskStatus.Pending, string.Empty), ("task-2", MeasurementTaskStatus.Failed, "max_expiries"));
        drafts.Should().OnlyContain(draft =>
            draft.Work.Origin == Origin.Background("lease-sweep") && draft.Work.Events[0].Type == "task_lease_expired");
    }

    [Fact]
    public async Task A_lease_that_ended_otherwise_meanwhile_is_left_alone_and_the_others_expire()
    {
        ExpiredAre(Samples.Inflight, Samples.Inflight with { Id = "task-2" }, Samples.Inflight with { Id = "task-3" });
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(
            Samples.Inflight with { Status = MeasurementTaskStatus.Completed, Version = 3 });
        dbos.NextSaves["task-2"] = new Saved<MeasurementTask>.Conflict(null);

        (await Sweep()).Should().Be(1);
        dbos.TaskCommits.Should().ContainSingle();
    }

    [Fact]
    public async Task A_fault_says_in_which_trace_it_was_when_that_has_ended()
    {
        ExpiredAre(Samples.Inflight);
        using var caller = new Activity("caller").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> span) =>
                span.Parent.TraceId == caller.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(listener);
        dbos.Tasks.Configure().Save(default!, default).ReturnsForAnyArgs(Task.FromException<IReadOnlyList<Saved<MeasurementTask>>>(new InvalidOperationException()));

        var fault = (await this.Awaiting(it => it.Sweep()).Should().ThrowAsync<InvalidOperationException>()).Which;

        Spans.TraceOf(fault).Should().Be(caller.TraceId.ToHexString());
    }

    public void Dispose() => dbos.Dispose();

    private Task<int> Sweep() => dbos.Services.GetServices<ISweep>().OfType<LeaseSweep>().Single().Run(default);

    private void ExpiredAre(params MeasurementTask[] tasks)
    {
        dbos.Tasks.ExpiredLeases(500, Arg.Any<CancellationToken>()).Returns(tasks);
        dbos.Clock.Advance(TimeSpan.FromMinutes(5));
    }
}
