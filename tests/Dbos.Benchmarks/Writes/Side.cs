using Dbos.Testing;
using Dbos.Wire;
using Grpc.Net.Client;

namespace Dbos.Benchmarks.Writes;

/// <summary>One of the servers that writes are sent to in turns.</summary>
/// <param name="redis">Null: the server has an embedded store.</param>
internal sealed class Side(string name, int port, ChildProcess server, RedisServer? redis) : IDisposable
{
    private const int Channels = 4;

    private readonly GrpcChannel[] channels = [.. Enumerable.Range(0, Channels).Select(_ => GrpcChannel.ForAddress($"http://127.0.0.1:{port}"))];

    public string Name => name;

    public DBOS.DBOSClient Client(int worker) => new(channels[worker % Channels]);

    public async Task<SideRound> Measure(Write write, int calls, int inFlight)
    {
        var round = Guid.NewGuid().ToString("N");
        var clients = channels.Select(channel => new DBOS.DBOSClient(channel)).ToArray();
        var before = RedisTime();
        var measured = await Round.Of(
            calls, inFlight, server.Id, (worker, i) => write.Call(clients[worker % Channels], round, i), write.InSequence);
        return new SideRound(measured, (RedisTime() - before)?.TotalMicroseconds / calls);
    }

    public void Dispose()
    {
        foreach (var channel in channels)
        {
            channel.Dispose();
        }
    }

    private TimeSpan? RedisTime() => redis is null ? null : ProcessorClock.Of(redis.Process.Id);
}

/// <param name="RedisMicroseconds">Processor time of Redis per call; null: the store is in the server.</param>
internal sealed record SideRound(Round Calls, double? RedisMicroseconds);
