using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Model.Tests.Model;
using Dbos.Model.Tests.Steps;

namespace Dbos.Model.Tests.Walks;

/// <summary>Compares all that is stored of tasks with the model, and tells the model the instants that the store's clock chose.</summary>
internal sealed class StoreComparison(OpenStore dbos, QueueModel model)
{
    public async Task CompareTasks()
    {
        var ids = Enumerable.Range(0, StepGenerator.Tasks).Select(QueueModel.IdOf).ToArray();
        var found = await Task.WhenAll(ids.Select(id => dbos.Send(new GetTask(id))));
        foreach (var (id, answer) in ids.Zip(found))
        {
            if (model.Find(id) is not { } expected)
            {
                answer.Refusal?.Code.Should().Be(RefusalCode.NotFound);
                answer.IsRefused.Should().BeTrue("{0} is not there", id);
                continue;
            }

            answer.Refusal.Should().BeNull();
            var stored = answer.Value;
            ModelTask.Describe(stored).Should().Be(expected.Describe());
            expected.Visible = Told(stored.VisibleAt, expected.Visible);
            expected.Scheduled ??= DateTimeOffset.FromUnixTimeSeconds(expected.Visible.Instant.ToUnixTimeSeconds());
            expected.Ended = expected.Ended is { } ended ? Told(stored.EndedAt!.Value, ended) : null;
        }
    }

    /// <summary>Once the clocks have passed all that happened.</summary>
    public async Task CompareTheRest()
    {
        await CompareStats();
        await foreach (var slice in dbos.Get<ITaskAudit>().Run(repair: false, Origin.Background("test")))
        {
            slice.Inconsistencies.Should().BeEmpty();
        }
    }

    private static Span Told(DateTimeOffset stored, Span expected)
    {
        expected.Contains(stored).Should().BeTrue("{0:O} is to be within {1}", stored, expected);
        return Span.At(stored);
    }

    private async Task CompareStats()
    {
        var stats = (await dbos.Send(new GetQueueStats())).Value;
        foreach (var status in Enum.GetValues<MeasurementTaskStatus>())
        {
            stats.Tasks[status].Should().Be(model.Counted.Count(task => task.Status == status), "so many are {0}", status);
        }

        stats.Totals.Where(total => total.Value > 0).Select(total => $"{total.Key} {total.Value}")
            .Should().BeEquivalentTo(model.Totals.Select(total => $"{total.Key} {total.Value}"));

        var now = dbos.Get<TimeProvider>().GetUtcNow();
        var oldest = model.Tasks.Where(task => task.Status == MeasurementTaskStatus.Pending && task.Visible.Instant <= now).Select(task => now - task.Visible.Instant);
        stats.OldestPendingAge.Should().BeCloseTo(oldest.DefaultIfEmpty().Max(), TimeSpan.FromSeconds(2));
    }
}
