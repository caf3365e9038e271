using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class RetentionSweepTests : IDisposable
{
    private static readonly MeasurementTask Completed =
        Samples.Inflight with { Status = MeasurementTaskStatus.Completed, EndedAt = Samples.Now, Version = 3 };

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task What_ended_a_day_ago_is_deleted_in_dboss_own_name()
    {
        EndedAre(Completed, Completed with { Id = "task-2", Status = MeasurementTaskStatus.Cancelled });

        (await Sweep()).Should().Be(2);
        var drafts = dbos.TaskCommits.Should().ContainSingle().Subject;
        drafts.Select(draft => draft.Next.Id).Should().Equal("task-1", "task-2");
        drafts.Should().OnlyContain(draft =>
            draft.Deletes
            && draft.Work.Origin == Origin.Background("retention-sweep")
            && draft.Work.Events[0].Type == "task_purged");
    }

    [Fact]
    public async Task What_another_replica_deleted_meanwhile_is_its_work()
    {
        EndedAre(Completed);
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(null);

        (await Sweep()).Should().Be(0);
    }

    [Fact]
    public async Task What_was_deleted_and_came_again_meanwhile_stays()
    {
        EndedAre(Completed);
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(Samples.Inflight);

        (await Sweep()).Should().Be(0);
        dbos.TaskCommits.Should().ContainSingle();
    }

    public void Dispose() => dbos.Dispose();

    private Task<int> Sweep() => dbos.Services.GetServices<ISweep>().OfType<RetentionSweep>().Single().Run(default);

    private void EndedAre(params MeasurementTask[] tasks)
    {
        dbos.Tasks.EndedBy(Samples.Now, 500, Arg.Any<CancellationToken>()).Returns(tasks);
        dbos.Clock.Advance(TimeSpan.FromDays(1));
    }
}
