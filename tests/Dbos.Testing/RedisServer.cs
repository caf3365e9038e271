using System.Globalization;
using System.Net.Sockets;

namespace Dbos.Testing;

/// <summary>A redis-server of a test's own: on a free loopback port, its data in a folder of its own.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder folder = new();
    private string[] options = [];
    private ChildProcess? process;
    private bool isPaused;

    private RedisServer()
    {
    }

    public int Port { get; private set; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>False: it is killed, stopped or paused.</summary>
    public bool IsAnswering => process is { HasExited: false } && !isPaused;

    public ChildProcess Process => process ?? throw new InvalidOperationException("this redis-server is stopped");

    /// <param name="options">Further command line options, as <c>--maxmemory 100mb</c>.</param>
    public static Task<RedisServer> Start(params string[] options) => Start(_ => options);

    /// <param name="options">Of its port; asked again for each trial, as they may name another port too.</param>
    public static async Task<RedisServer> Start(Func<int, string[]> options)
    {
        const int Tries = 5;
        var server = new RedisServer();
        for (var trial = 1; ; trial++)
        {
            server.Port = FreePort.Find();
            server.options = options(server.Port);
            try
            {
                await server.Start();
                return server;
            }
            catch (InvalidOperationException) when (trial < Tries)
            {
                // Somebody else took the port meanwhile.
            }
        }
    }

    /// <summary>Starts it, after <see cref="Kill"/> or <see cref="Stop"/> again on the same port and data.</summary>
    /// <exception cref="InvalidOperationException">It ended at once, as when somebody else has its port.</exception>
    public async Task Start()
    {
        // A file of its own, as a Sentinel keeps what it knows there; what is said behind it comes first.
        var file = Path.Combine(folder.Path, "redis.conf");
        await File.AppendAllTextAsync(file, string.Empty);
        process = ChildProcess.Start(
            "redis-server",
            [
                file, "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder.Path,
                "--save", string.Empty, "--appendonly", "yes", "--appendfsync", "everysec", .. options,
            ]);
        await Eventually.True(IsListening, StartPatience, "redis-server listens");
    }

    /// <summary>Sends one command, and answers what came back as redis-cli prints it.</summary>
    public async Task<string> Ask(params string[] command) => (await RedisReply.To(Port, command).WaitAsync(StartPatience)).Trim();

    /// <summary>Sends one command, which must be done, once the server has its data.</summary>
    internal async Task Order(params string[] command)
    {
        var answer = string.Empty;
        await Eventually.True(
            async () => !(answer = await Ask(command)).StartsWith("LOADING", StringComparison.Ordinal), StartPatience, "redis-server has its data");
        if (answer is not ("OK" or "NOKEY"))
        {
            throw new InvalidOperationException($"{Address} answered {answer} to {string.Join(' ', command)}");
        }
    }

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        process = null;
        isPaused = false;
    }

    /// <summary>It keeps its connections and answers none, until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        Process.Signal(UnixSignal.Stop);
        isPaused = true;
    }

    public void Resume()
    {
        Process.Signal(UnixSignal.Continue);
        isPaused = false;
    }

    /// <summary>As an operator stops it.</summary>
    public async Task Stop()
    {
        Process.Signal(UnixSignal.Terminate);
        await Process.WaitForExit(StartPatience);
        await Kill();
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await Kill();
        }

        folder.Dispose();
    }

    private async Task<bool> IsListening()
    {
        if (Process.HasExited)
        {
            throw new InvalidOperationException($"redis-server ended at once: {Process.Output}");
        }

        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
