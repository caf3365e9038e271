using System.Text;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>A suite that holds on every engine, each test on an empty store of its own.</summary>
public abstract class StoreTests(IEngine engine) : IAsyncLifetime
{
    private readonly List<OpenStore> opened = [];

    protected OpenStore Dbos { get; private set; } = null!;

    /// <summary>What the suite's stores are opened with.</summary>
    protected virtual OpenOptions Options { get; } = new();

    public async Task InitializeAsync() => Dbos = await Open(Options);

    public async Task DisposeAsync()
    {
        foreach (var store in opened)
        {
            await store.DisposeAsync();
        }
    }

    /// <summary>Racers that never finish fail their test, and end with the store that is closed behind them.</summary>
    protected static TimeSpan RacePatience { get; } = TimeSpan.FromSeconds(60);

    protected static CancellationToken None => CancellationToken.None;

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    /// <summary>A further empty store.</summary>
    protected async Task<OpenStore> Open(OpenOptions options)
    {
        var store = await engine.Open(options);
        opened.Add(store);
        return store;
    }

    /// <summary>The same store as a further replica has it.</summary>
    protected async Task<OpenStore> OpenBeside(OpenStore store, IStoreWatcher? watcher = null)
    {
        var beside = await engine.OpenBeside(store, watcher);
        opened.Add(beside);
        return beside;
    }
}
