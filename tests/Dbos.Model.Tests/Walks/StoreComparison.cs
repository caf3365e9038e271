using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Model.Tests.Model;
using Dbos.Model.Tests.Steps;

namespace Dbos.Model.Tests.Walks;

/// <summary>Compares all that is stored of tasks with the model, and tells the model the instants that the store's clock chose.</summary>
internal sealed class StoreComparison(OpenStore dbos, QueueModel model)
{
    private const int All = 1_000;

    /// <summary>Every name that an index of tasks can have here.</summary>
    private static readonly string[] Indexes =
    [
        .. from status in MeasurementTaskStatusWords.All
           from index in (string[])
           [
               Names.Tasks(status),
               .. StepGenerator.Agents.Select(agent => Names.TasksOfAgent(status, agent)),
               .. StepGenerator.Modules.Select(module => Names.TasksOfModule(status, module)),
               .. from agent in StepGenerator.Agents
                  from module in StepGenerator.Modules
                  select Names.TasksOf(status, agent, module),
           ]
           select index,
    ];

    private static readonly string[] TurnIndexes =
    [
        Names.Turns,
        .. StepGenerator.Agents.Select(Names.TurnsOfAgent),
        .. StepGenerator.Modules.Select(Names.TurnsOfModule),
    ];

    public async Task Run()
    {
        await CompareTasks();
        var stored = await Entries(Indexes);
        Same(stored.Select(found => $"{found.Index}: {found.Entry.Member} = {found.Entry.Score}"),
            model.IndexEntries().Select(entry => $"{entry.Index}: {entry.Member} = {entry.Score}"));
        await CompareTurns();
        await CompareStats();
    }

    private static void Same(IEnumerable<string> stored, IEnumerable<string> expected) =>
        stored.Order(StringComparer.Ordinal).Should().Equal(expected.Order(StringComparer.Ordinal));

    private async Task CompareTasks()
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

    private static Span Told(DateTimeOffset stored, Span expected)
    {
        expected.Contains(stored).Should().BeTrue("{0:O} is to be within {1}", stored, expected);
        return Span.At(stored);
    }

    /// <summary>Each lane with pending tasks has one turn for each priority, the same in every index of turns that it is in.</summary>
    private async Task CompareTurns()
    {
        var stored = await Entries(TurnIndexes);
        var expected = new List<string>();
        var heads = model.Tasks.Where(task => task.Status == MeasurementTaskStatus.Pending)
            .GroupBy(model.LaneOf)
            .ToDictionary(lane => lane.Key, lane => lane.Min(task => task.Visible.Milliseconds));
        foreach (var (lane, head) in heads)
        {
            var band = MeasurementTask.HighestPriority - lane.Priority;
            var member = $"{band}{Names.Lane(lane.Agent, lane.Module)}";
            var turn = stored.FirstOrDefault(found => (found.Index, found.Entry.Partition, found.Entry.Member) == (Names.Turns, lane.Partition, member));
            model.Turns.Hear(lane, head, Bands.DueOf(turn.Entry.Score)).Should().BeNull();
            expected.AddRange(
                from index in (string?[])
                [
                    Names.Turns,
                    lane.Agent.Length > 0 ? Names.TurnsOfAgent(lane.Agent) : null,
                    lane.Module.Length > 0 ? Names.TurnsOfModule(lane.Module) : null,
                ]
                where index is not null
                select $"{index} in {lane.Partition}: {member} = {turn.Entry.Score}");
        }

        Same(stored.Select(found => $"{found.Index} in {found.Entry.Partition}: {found.Entry.Member} = {found.Entry.Score}"), expected);
        model.Turns.ForgetAllBut(heads.Keys);
    }

    private async Task CompareStats()
    {
        var stats = (await dbos.Send(new GetQueueStats())).Value;
        foreach (var status in Enum.GetValues<MeasurementTaskStatus>())
        {
            stats.Tasks[status].Should().Be(model.Tasks.Count(task => task.Status == status), "so many are {0}", status);
        }

        Same(stats.Totals.Where(total => total.Value > 0).Select(total => $"{total.Key} {total.Value}"),
            model.Totals.Select(total => $"{total.Key} {total.Value}"));

        var now = dbos.Get<TimeProvider>().GetUtcNow();
        var oldest = model.Tasks.Where(task => task.Status == MeasurementTaskStatus.Pending && task.Visible.Instant <= now).Select(task => now - task.Visible.Instant);
        stats.OldestPendingAge.Should().BeCloseTo(oldest.DefaultIfEmpty().Max(), TimeSpan.FromSeconds(2));
    }

    private async Task<List<(string Index, IndexEntry Entry)>> Entries(string[] indexes)
    {
        var found = await Task.WhenAll(
            from index in indexes
            from partition in dbos.Port.AllPartitions()
            select Of(index, partition));
        return [.. found.SelectMany(entries => entries)];

        async Task<IEnumerable<(string, IndexEntry)>> Of(string index, int partition) =>
            (await dbos.Port.Lowest(new StoreKey(partition, index), above: null, long.MaxValue, All, CancellationToken.None))
                .Select(entry => (index, entry));
    }
}
