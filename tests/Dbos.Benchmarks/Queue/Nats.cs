using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using Dbos.Testing;

namespace Dbos.Benchmarks.Queue;

/// <summary>NATS JetStream as a work queue: a nats-server with a port and a folder of its own, and a client in Node.js.</summary>
internal sealed class Nats : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly ChildProcess server;
    private readonly NodeDriver driver;
    private readonly TemporaryFolder folder;

    private Nats(ChildProcess server, NodeDriver driver, TemporaryFolder folder, QueueLoad load)
    {
        (this.server, this.driver, this.folder) = (server, driver, folder);
        Publish = Turn($"NATS publish, {load.InFlight} in flight", $"/publish?jobs={load.Tasks}&inFlight={load.InFlight}");
        Fetch = Turn(
            $"NATS fetch({QueueLoad.Batch}), ackAck; {QueueLoad.Takers} takers",
            $"/process?jobs={load.Tasks}&size={QueueLoad.Batch}&takers={QueueLoad.Takers}");

        Turn Turn(string name, string action) => new(name, load.Tasks, server.Id, driver.Process.Id, tasks => driver.Run(tasks, action));
    }

    public Turn Publish { get; }

    public Turn Fetch { get; }

    /// <summary>Null after a sentence in the report: it is not available.</summary>
    public static async Task<Nats?> Start(QueueLoad load, Report report)
    {
        var folder = new TemporaryFolder();
        ChildProcess? server = null;
        try
        {
            var port = FreePort.Find();
            server = Launch(port, folder.Path);
            await Eventually.True(() => IsListening(server, port), StartPatience, "nats-server listens");
            return new Nats(server, await NodeDriver.Start("nats.mjs", port, QueueLoad.Payload), folder, load);
        }
        catch (Exception failure)
        {
            await End(server, folder);
            if (failure is not MissingToolException)
            {
                throw;
            }

            report.Say($"NATS is not measured: {failure.Message}.");
            return null;
        }
    }

    public Task<string> Version() => driver.Version();

    public async ValueTask DisposeAsync()
    {
        await driver.DisposeAsync();
        await End(server, folder);
    }

    private static async Task End(ChildProcess? server, TemporaryFolder folder)
    {
        await (server?.DisposeAsync() ?? default);
        folder.Dispose();
    }

    private static ChildProcess Launch(int port, string folder)
    {
        try
        {
            return ChildProcess.Start(
                "nats-server",
                ["--addr", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--jetstream", "--store_dir", folder]);
        }
        catch (Win32Exception)
        {
            throw MissingToolException.Of("nats-server", "nats-server");
        }
    }

    private static async Task<bool> IsListening(ChildProcess server, int port)
    {
        if (server.HasExited)
        {
            throw new InvalidOperationException($"nats-server ended at once: {server.Output}");
        }

        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
