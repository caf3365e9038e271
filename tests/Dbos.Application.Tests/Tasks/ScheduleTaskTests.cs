using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class ScheduleTaskTests : IDisposable
{
    private static readonly MeasurementTask ByDefault = Samples.Inflight with
    {
        Status = MeasurementTaskStatus.Pending, VisibleAt = Samples.Now, LeaseToken = 0, Deliveries = 0,
    };

    private readonly SubstitutedDbos dbos = new();

    public static TheoryData<NewTask, MeasurementTask> Wanted => new()
    {
        { Samples.NewTask, ByDefault },
        { Samples.NewTask with { MaxRetries = 7 }, ByDefault with { Retry = new RetryPolicy(7, 10) } },
        { Samples.NewTask with { MaxExpiries = 7 }, ByDefault with { Retry = new RetryPolicy(3, 7) } },
        { Samples.NewTask with { Priority = 9 }, ByDefault with { Priority = 9 } },
        { Samples.NewTask with { CreatedAt = 5 }, ByDefault with { CreatedAt = 5 } },
        { Samples.NewTask with { RetryCount = 2 }, ByDefault },
        { Samples.NewTask with { ScheduledAt = 100 }, ByDefault with { ScheduledAt = 100, VisibleAt = At(100) } },
        { Samples.NewTask with { ScheduledAt = 100, VisibilityTime = 150 }, ByDefault with { ScheduledAt = 100, VisibleAt = At(150) } },
        { Samples.NewTask with { ScheduledAt = 100, VisibilityTime = 50 }, ByDefault with { ScheduledAt = 100, VisibleAt = At(100) } },
        { Samples.NewTask with { VisibilityTime = Samples.Second + 60 }, ByDefault with { VisibleAt = Samples.Now.AddMinutes(1) } },
    };

    [Theory]
    [MemberData(nameof(Wanted))]
    public async Task A_task_is_scheduled_as_told_and_by_default_due_now_with_the_policys_retries(NewTask told, MeasurementTask wanted)
    {
        (await dbos.Ask(new ScheduleTask(told with { Payload = wanted.Payload }))).Value.Should().Be(new Written(0, Duplicate: false));

        dbos.ShouldHaveWrittenOne<Scheduling>().Should().Be(new Scheduling(wanted, IsTimeGiven: told.ScheduledAt > 0, dbos.Work));
        dbos.Tasks.ReceivedCalls().Should().ContainSingle();
    }

    [Fact]
    public async Task A_task_that_is_known_is_a_duplicate()
    {
        dbos.TaskAnswers["task-1"] = new Written(0, Duplicate: true);

        (await dbos.Ask(new ScheduleTask(Samples.NewTask))).Value.Should().Be(new Written(0, Duplicate: true));
        dbos.Told.Should().BeEmpty();
    }

    [Fact]
    public async Task Another_task_of_the_same_id_is_a_duplicate_that_differs()
    {
        dbos.TaskAnswers["task-1"] = new Written(0, Duplicate: true) { ContentDiffers = true };

        (await dbos.Ask(new ScheduleTask(Samples.NewTask))).Value.ContentDiffers.Should().BeTrue();
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("replay_differed");
    }

    public void Dispose() => dbos.Dispose();

    private static DateTimeOffset At(long second) => DateTimeOffset.FromUnixTimeSeconds(second);
}
