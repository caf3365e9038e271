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
        Tasks.Schedule(default!, default).ReturnsForAnyArgs(call => Batch(call.Arg<IReadOnlyList<Scheduling>>(), item => (item.Task.Id, item.Context)));
        Tasks.Acknowledge(default!, default).ReturnsForAnyArgs(call => Batch(call.Arg<IReadOnlyList<Acknowledgement>>(), item => (item.TaskId, item.Context)));
        Tasks.AcknowledgeWith(default!, default, default).ReturnsForAnyArgs(call => AnswerTo(
            new AcknowledgedReport(call.Arg<Acknowledgement>(), call.Arg<DeliveryReport>()), item => (item.Ack.TaskId, item.Ack.Context)));
        Tasks.NegativelyAcknowledge(default!, default).ReturnsForAnyArgs(call => AnswerTo(call.Arg<NegativeAcknowledgement>(), item => (item.TaskId, item.Context)));
        Tasks.ExtendLease(default!, default).ReturnsForAnyArgs(call => AnswerTo(call.Arg<LeaseExtension>(), item => (item.TaskId, item.Context)));
        Tasks.Cancel(default!, default).ReturnsForAnyArgs(call => AnswerTo(call.Arg<Cancellation>(), item => (item.TaskId, item.Context)));
        Tasks.DeleteDeadLetter(default!, default!, default).ReturnsForAnyArgs(call => AnswerTo(call.Arg<string>(), id => (id, call.Arg<CommitContext>())));
        Tasks.Requeue(default!, default!, default).ReturnsForAnyArgs(call => Batch(call.Arg<IReadOnlyList<string>>(), id => (id, new CommitContext())));
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

    /// <summary>What the repository was asked to write of tasks, call by call: a list of items each.</summary>
    public List<object> TaskWrites { get; } = [];

    /// <summary>How the repository answers what it is asked to write of a task, by the task's id; else it is done.</summary>
    public Dictionary<string, Answer<Written>> TaskAnswers { get; } = [];

    public IServiceProvider Services => services;

    public async Task<Answer<T>> Ask<T>(IRequest<Answer<T>> request, string? idempotencyKey = null, TimeSpan? timeLeft = null)
    {
        using var scope = services.CreateScope();
        Call = scope.ServiceProvider.GetRequiredService<CallContext>();
        Call.Origin = new Origin("grpc:192.0.2.9", "trace-1");
        Call.IdempotencyKey = idempotencyKey;
        Call.TimeLeft = timeLeft;
        Work = scope.ServiceProvider.GetRequiredService<CommitContext>();
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
    }

    public void ShouldHaveReachedNoRepository() =>
        new object[] { Agents, States, Results, Tasks }.SelectMany(repository => repository.ReceivedCalls()).Should().BeEmpty();

    /// <summary>The only item of the only call that writes tasks.</summary>
    public T ShouldHaveWrittenOne<T>() =>
        TaskWrites.Should().ContainSingle().Which.Should().BeAssignableTo<IReadOnlyList<T>>().Which.Should().ContainSingle().Subject;

    public void Dispose() => services.Dispose();

    private Answer<Written> AnswerTo<T>(T item, Func<T, (string TaskId, CommitContext Context)> read) => Batch([item], read)[0];

    private IReadOnlyList<Answer<Written>> Batch<T>(IReadOnlyList<T> items, Func<T, (string TaskId, CommitContext Context)> read)
    {
        TaskWrites.Add(items);
        return [.. items.Select(read).Select(item =>
        {
            var answer = TaskAnswers.GetValueOrDefault(item.TaskId, new Written(0, Duplicate: false));
            item.Context.ReplayDiffered = answer is { IsRefused: false, Value.ContentDiffers: true };
            return answer;
        })];
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

    public sealed record AcknowledgedReport(Acknowledgement Ack, DeliveryReport Report);

    public sealed record ToldRefusal(AuditEvent Event, Origin Origin, string PartitionId);
}
