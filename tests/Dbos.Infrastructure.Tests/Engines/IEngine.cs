using Dbos.Application;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>What the suites run on: a store engine with a server or folder of its own.</summary>
public interface IEngine
{
    /// <summary>The whole container on an empty store.</summary>
    Task<OpenStore> Open(OpenOptions options);

    /// <summary>
    /// The same store as a further replica has it. Where a store belongs to one process alone, it is that
    /// process's own, and the further watcher is told nothing.
    /// </summary>
    Task<OpenStore> OpenBeside(OpenStore opened, IStoreWatcher? watcher = null);
}

public sealed record OpenOptions
{
    public static readonly DbosPolicy DefaultPolicy = new() { ServerId = "server-1" };

    public DbosPolicy Policy { get; init; } = DefaultPolicy;

    /// <summary>Changes what is not the engine's own of the settings.</summary>
    public Func<StoreSettings, StoreSettings> Settings { get; init; } = settings => settings;

    /// <summary>Told by the store from the start; null: nobody is.</summary>
    public IStoreWatcher? Watcher { get; init; }
}
