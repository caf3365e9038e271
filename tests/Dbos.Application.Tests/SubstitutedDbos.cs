using Dbos.Domain.Agents;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dbos.Application.Tests;

/// <summary>
/// The application as it is really put together, over a store that is made up: it holds nothing, and
/// every save succeeds, until a test says otherwise.
/// </summary>
public sealed class SubstitutedDbos : IDisposable
{
    public static readonly DbosPolicy Policy = new() { ServerId = "dbos-1", MaxResultBytes = 1_000, RetryBackoff = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(300)) };

    private readonly ServiceProvider services;

    public SubstitutedDbos()
    {
        Agents.Change(default!, default!, default!, default).ReturnsForAnyArgs(call => ChangeAgent(
            call.Arg<Func<Agent?, Answer<Decision<Agent>>>>(), call.Arg<CommitContext>()));
        States.Report(default!, default!, default).ReturnsForAnyArgs(new Saved<ModuleState>.Done(1));
        States.List(default!, default!, default).ReturnsForAnyArgs(new Page<ModuleState>([], null));
        Results.Store(default!, default!, default).ReturnsForAnyArgs(new Written(1, Duplicate: false));
        Tasks.Save(default!, default).ReturnsForAnyArgs(call => SaveTasks(call.Arg<IReadOnlyList<Draft<MeasurementTask>>>()));
        Events.WhenForAnyArgs(log => log.LogRefusal(default!, default!, default!, default))
            .Do(call => Told.Add(new(call.Arg<AuditEvent>(), call.Arg<Origin>(), call.Arg<string>())));
        services = new ServiceCollection()
            .AddApplication(Policy)
            .AddSingleton(Agents)
            .AddSingleton(States)
            .AddSingleton(Results)
            .AddSingleton(Tasks)
            .AddSingleton(Audit)
            .AddSingleton(Events)
            .AddSingleton(Marks)
            .AddSingleton<TimeProvider>(Clock)
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public IAgentRepository Agents { get; } = Substitute.For<IAgentRepository>();

    public IModuleStateRepository States { get; } = Substitute.For<IModuleStateRepository>();

    public IResultRepository Results { get; } = Substitute.For<IResultRepository>();

    public ITaskRepository Tasks { get; } = Substitute.For<ITaskRepository>();

    public ITaskAudit Audit { get; } = Substitute.For<ITaskAudit>();

    public IEventLog Events { get; } = Substitute.For<IEventLog>();

    public IIdempotencyMarks Marks { get; } = Substitute.For<IIdempotencyMarks>();

    public FakeTimeProvider Clock { get; } = new(Samples.Now);

    /// <summary>What the agents are decided on; null: nothing is stored.</summary>
    public Agent? StoredAgent { get; set; }

    /// <summary>Every agent that was written, with what came with it.</summary>
    public List<(Agent Next, CommitContext Work)> AgentCommits { get; } = [];

    /// <summary>What was told apart from the commits, in order.</summary>
    public List<ToldRefusal> Told { get; } = [];

    /// <summary>What the latest request contributed to its commit.</summary>
    public CommitContext Work { get; private set; } = new();

    /// <summary>The context of the latest request.</summary>
    public CallContext Call { get; private set; } = new();

    /// <summary>Every task that was to be saved, commit by commit.</summary>
    public List<IReadOnlyList<Draft<MeasurementTask>>> TaskCommits { get; } = [];

    /// <summary>What a task's next save is answered, by the task's id, instead of being done.</summary>
    public Dictionary<string, Saved<MeasurementTask>> NextSaves { get; } = [];

    public IServiceProvider Services => services;

    public async Task<Answer<T>> Ask<T>(IRequest<Answer<T>> request, string? idempotencyKey = null)
    {
        using var scope = services.CreateScope();
        Call = scope.ServiceProvider.GetRequiredService<CallContext>();
        Call.Origin = new Origin("grpc:192.0.2.9", "trace-1");
        Call.IdempotencyKey = idempotencyKey;
        Work = scope.ServiceProvider.GetRequiredService<CommitContext>();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
    }

    public void ShouldHaveReachedNoRepository() =>
        new object[] { Agents, States, Results, Tasks }.SelectMany(repository => repository.ReceivedCalls()).Should().BeEmpty();

    public MeasurementTask ShouldHaveSavedOneTask()
    {
        var draft = TaskCommits.Should().ContainSingle().Which.Should().ContainSingle().Subject;
        draft.Work.Should().BeSameAs(Work);
        return draft.Next;
    }

    public void Dispose() => services.Dispose();

    private Saved<MeasurementTask>[] SaveTasks(IReadOnlyList<Draft<MeasurementTask>> drafts)
    {
        TaskCommits.Add(drafts);
        return [.. drafts.Select((draft, i) => SaveTask(draft, drafts.Take(i).FirstOrDefault(earlier => earlier.Next.Id == draft.Next.Id)))];
    }

    /// <param name="earlier">In the same commit, of the same task.</param>
    private Saved<MeasurementTask> SaveTask(Draft<MeasurementTask> draft, Draft<MeasurementTask>? earlier)
    {
        if (NextSaves.Remove(draft.Next.Id, out var saved))
        {
            return saved;
        }

        return (draft.Work.Mark, earlier) switch
        {
            (_, null) => new Saved<MeasurementTask>.Done(draft.Next.Version),
            (null, _) => new Saved<MeasurementTask>.Conflict(earlier.Next),
            ({ } mark, _) => new Saved<MeasurementTask>.Replayed(
                new FirstAnswer(earlier.Next.Version, ContentDiffers: mark.Content != earlier.Work.Mark?.Content)),
        };
    }

    private Answer<Written> ChangeAgent(Func<Agent?, Answer<Decision<Agent>>> decide, CommitContext work)
    {
        var decided = decide(StoredAgent);
        if (decided.Refusal is { } refusal)
        {
            return refusal;
        }

        var decision = decided.Value;
        if (!decision.IsReplay)
        {
            work.Events = decision.Events;
            AgentCommits.Add((decision.Next, work));
        }

        return new Written(decision.Next.Version, decision.IsReplay);
    }

    private static void SaveAll<T>(Task<Saved<T>> save)
        where T : class, IVersioned => save.ReturnsForAnyArgs(call => new Saved<T>.Done(call.Arg<T>().Version));

    public sealed record ToldRefusal(AuditEvent Event, Origin Origin, string PartitionId);
}
