using Dbos.Domain.Agents;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>All that a store holds and cannot be made again from the rest, as lines of an export.</summary>
internal sealed class StoreContents(
    ISubjectTransfer<Agent> agents,
    ISubjectTransfer<StoredModuleState> states,
    ISubjectTransfer<TransferredResult> results,
    ISubjectTransfer<MeasurementTask> tasks,
    ISubjectTransfer<StoredMark> marks,
    ISubjectTransfer<StoredCounter> counters,
    ISubjectTransfer<ExportedEvent> events)
{
    private const int MostLinesAtOnce = 1_000;
    private const int MostBytesAtOnce = 4 << 20;

    /// <summary>
    /// What was about to end lives on for a while, so that what was imported can be compared with what was exported. To
    /// remember a command for longer than promised does no harm.
    /// </summary>
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromHours(1);

    public async IAsyncEnumerable<ExportLine> Read()
    {
        await foreach (var agent in agents.Export())
        {
            yield return AgentLine.Of(agent);
        }

        await foreach (var state in states.Export())
        {
            yield return new StateLine(state);
        }

        await foreach (var result in results.Export())
        {
            yield return new ResultLine(result);
        }

        await foreach (var task in tasks.Export())
        {
            yield return new TaskLine(task);
        }

        await foreach (var mark in marks.Export())
        {
            yield return new MarkLine(mark.Name, mark.Value, (long)mark.Lifetime.TotalMilliseconds);
        }

        await foreach (var counter in counters.Export())
        {
            yield return new CounterLine(counter.Name, counter.Amount);
        }

        await foreach (var (log, json) in events.Export())
        {
            yield return new EventLine(log, json);
        }
    }

    public async Task Write(IAsyncEnumerable<ExportLine> lines)
    {
        var gathered = new List<ExportLine>();
        var bytes = 0;
        await foreach (var line in lines)
        {
            gathered.Add(line);
            bytes += line switch
            {
                ResultLine result => result.Stored.Result.Data.Length,
                TaskLine task => task.Task.Payload.Length,
                _ => 0,
            };
            if (gathered.Count >= MostLinesAtOnce || bytes >= MostBytesAtOnce)
            {
                await Import(gathered);
                gathered.Clear();
                bytes = 0;
            }
        }

        await Import(gathered);
        await EndImport();
    }

    private async Task EndImport()
    {
        await agents.EndImport(CancellationToken.None);
        await states.EndImport(CancellationToken.None);
        await results.EndImport(CancellationToken.None);
        await tasks.EndImport(CancellationToken.None);
        await marks.EndImport(CancellationToken.None);
        await counters.EndImport(CancellationToken.None);
        await events.EndImport(CancellationToken.None);
    }

    private async Task Import(List<ExportLine> lines)
    {
        await agents.Import([.. lines.OfType<AgentLine>().Select(line => line.ToAgent())], CancellationToken.None);
        await states.Import([.. lines.OfType<StateLine>().Select(line => line.Stored)], CancellationToken.None);
        await results.Import([.. lines.OfType<ResultLine>().Select(line => line.Stored)], CancellationToken.None);
        await tasks.Import([.. lines.OfType<TaskLine>().Select(line => line.Task)], CancellationToken.None);
        await marks.Import([.. lines.OfType<MarkLine>().Select(MarkOf)], CancellationToken.None);
        await counters.Import([.. lines.OfType<CounterLine>().Select(line => new StoredCounter(line.Name, line.Amount))], CancellationToken.None);
        await events.Import([.. lines.OfType<EventLine>().Select(line => new ExportedEvent(line.Log, line.Told))], CancellationToken.None);
    }

    private static StoredMark MarkOf(MarkLine line)
    {
        var lifetime = TimeSpan.FromMilliseconds(line.Lifetime);
        return new StoredMark(line.Name, line.Value, lifetime > ShortestLifetime ? lifetime : ShortestLifetime);
    }
}
