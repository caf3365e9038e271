using System.Text;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>DBOS without its edge, on one store: whole commands go in, everything that is stored can be looked at.</summary>
public sealed class OpenStore(
    StoreSettings settings, DbosPolicy policy, Func<StoreSettings, TimeProvider, Task<IReadOnlyList<string>>> read) : IAsyncDisposable
{
    private static readonly Origin Caller = new("test", "trace-1");

    private readonly ServiceProvider services = new ServiceCollection()
        .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
        .AddApplication(policy)
        .AddInfrastructure(settings)
        .BuildServiceProvider();

    public StoreSettings Settings => settings;

    public DbosPolicy Policy => policy;

    /// <summary>Of the engine; the embedded store has one, whatever its settings say.</summary>
    public int Partitions => settings.IsEmbedded ? 1 : Get<RedisPartitions>().Count;

    /// <summary>Asks the store what it is asked once a second.</summary>
    /// <param name="watch">Null: nothing is looked at.</param>
    public Task<Pulse> Probe(Watch? watch = null) => Get<IStoreProbe>().Probe(watch ?? new Watch([], From: 0, UpTo: 0), CancellationToken.None);

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    public async Task<Answer<T>> Send<T>(IRequest<Answer<T>> request, string? idempotencyKey = null, TimeSpan? timeLeft = null)
    {
        await using var scope = services.CreateAsyncScope();
        var call = scope.ServiceProvider.GetRequiredService<CallContext>();
        call.Origin = Caller;
        call.IdempotencyKey = idempotencyKey;
        call.TimeLeft = timeLeft;
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request);
    }

    /// <summary>Sends many, some hundreds at a time. Every one must be accepted.</summary>
    public Task SendAll(IEnumerable<IWrite> writes) => Parallel.ForEachAsync(
        writes,
        new ParallelOptions { MaxDegreeOfParallelism = 256 },
        async (write, _) => (await Send(write)).Refusal.Should().BeNull());

    public Task<int> Sweep<TSweep>()
        where TSweep : ISweep =>
        services.GetServices<ISweep>().OfType<TSweep>().Single().Run(CancellationToken.None);

    /// <summary>The newest events of a partition's history, newest first, as they are stored.</summary>
    public async Task<IReadOnlyList<string>> History(int partition = 0, int count = 1_000)
    {
        var entries = await Get<IEventStreams>().Backward(new EventStreamKey(partition, EventLogName.History), from: null, count, default);
        return [.. entries.Select(entry => Encoding.UTF8.GetString(entry.Json.Span))];
    }

    /// <summary>Everything in the store, one line each.</summary>
    public Task<IReadOnlyList<string>> Lines() => read(settings, Get<TimeProvider>());

    /// <summary>What an act takes out of the store and adds to it, and nothing else does: one line each.</summary>
    public async Task<string> EffectOf(Func<Task> act)
    {
        var before = await Lines();
        await act();
        return Changes(before, await Lines());
    }

    public Task<string> EffectOf<T>(IRequest<Answer<T>> request, string? idempotencyKey = null) =>
        EffectOf(() => Send(request, idempotencyKey));

    public ValueTask DisposeAsync() => services.DisposeAsync();

    private static string Changes(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        var changes = Without(before, after).Select(line => (Line: line, Sign: '-'))
            .Concat(Without(after, before).Select(line => (Line: line, Sign: '+')))
            .OrderBy(change => change.Line, StringComparer.Ordinal);
        return string.Join('\n', changes.Select(change => $"{change.Sign} {change.Line}"));
    }

    private static List<string> Without(IReadOnlyList<string> lines, IReadOnlyList<string> others)
    {
        var left = lines.ToList();
        foreach (var other in others)
        {
            left.Remove(other);
        }

        return left;
    }
}
