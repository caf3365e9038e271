using System.Globalization;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Testing;

/// <summary>DBOS as a process of its own on a free port, with a client for it.</summary>
public sealed class DbosServer : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);

    private readonly Dictionary<string, string> settings;
    private readonly string assembly;
    private readonly List<GrpcChannel> channels = [];
    private ChildProcess? process;

    private DbosServer(Dictionary<string, string> settings, string assembly) => (this.settings, this.assembly) = (settings, assembly);

    public int Port { get; private set; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public ChildProcess Process => process ?? throw new InvalidOperationException("this DBOS is stopped");

    /// <summary>A client on a connection that all callers of this property share.</summary>
    public DBOS.DBOSClient Client { get; private set; } = null!;

    public Health.HealthClient Health { get; private set; } = null!;

    /// <summary>Starts it and waits until it is SERVING.</summary>
    /// <param name="settings">Environment variables, REDIS_ADDR and DATA_DIR among them.</param>
    /// <param name="assembly">Another server of the same proto and health service; null: DBOS.</param>
    public static async Task<DbosServer> Start(IReadOnlyDictionary<string, string> settings, string? assembly = null)
    {
        var server = await StartUnready(settings, assembly);
        await server.WaitUntilServing(StartPatience);
        return server;
    }

    /// <summary>Starts it and waits only until it listens: its store may be away.</summary>
    public static async Task<DbosServer> StartUnready(IReadOnlyDictionary<string, string> settings, string? assembly = null)
    {
        var server = new DbosServer(new Dictionary<string, string>(settings), assembly ?? ProductFiles.ApiAssembly) { Port = FreePort.Find() };
        server.Launch();
        await Eventually.True(server.IsAlive, StartPatience, "DBOS listens");
        return server;
    }

    /// <summary>Starts it again on the same port and store, after <see cref="Kill"/>.</summary>
    /// <exception cref="InvalidOperationException">It ended at once, as when somebody else has its port meanwhile.</exception>
    public async Task Restart()
    {
        Launch();
        await Eventually.True(IsAlive, StartPatience, "DBOS listens");
        try
        {
            await WaitUntilServing(StartPatience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}; it said: {Process.Output}", late);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        process = null;
    }

    public Task<TimeSpan> WaitUntilServing(TimeSpan patience) =>
        Eventually.True(async () => await StatusOf("dbos.DBOS") == HealthCheckResponse.Types.ServingStatus.Serving, patience, "DBOS serves");

    /// <summary>Health tells what the last probe saw, so it may not have noticed yet that its store was away.</summary>
    public Task<TimeSpan> WaitUntilAnswering(TimeSpan patience) => Eventually.True(
        async () =>
        {
            try
            {
                return (await Client.GetEventsAsync(new GetEventsRequest { Limit = 1 })).Error.Length == 0;
            }
            catch (RpcException)
            {
                return false;
            }
        },
        patience,
        "DBOS answers from its store");

    /// <summary>Null: it does not answer.</summary>
    public async Task<HealthCheckResponse.Types.ServingStatus?> StatusOf(string service)
    {
        try
        {
            var answer = await Health.CheckAsync(
                new HealthCheckRequest { Service = service }, deadline: DateTime.UtcNow + TimeSpan.FromSeconds(5));
            return answer.Status;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>A client on a connection of its own.</summary>
    public DBOS.DBOSClient Connect() => new(Open());

    public async ValueTask DisposeAsync()
    {
        channels.ForEach(channel => channel.Dispose());
        if (process is not null)
        {
            await Kill();
        }
    }

    private async Task<bool> IsAlive()
    {
        if (Process.HasExited)
        {
            throw new InvalidOperationException($"DBOS ended at once: {Process.Output}");
        }

        return await StatusOf("liveness") is not null;
    }

    private void Launch()
    {
        process = ChildProcess.Start(
            "dotnet",
            [assembly],
            new Dictionary<string, string>(settings) { ["PORT"] = Port.ToString(CultureInfo.InvariantCulture) });
        var shared = Open();
        Client = new DBOS.DBOSClient(shared);
        Health = new Health.HealthClient(shared);
    }

    private CallInvoker Open()
    {
        var channel = GrpcChannel.ForAddress($"http://{Address}", new GrpcChannelOptions
        {
            MaxReceiveMessageSize = null,
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(50),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(200),
        });
        channels.Add(channel);
        return channel.Intercept(new BoundedCalls());
    }
}
