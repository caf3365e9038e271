using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dbos.Testing;

/// <summary>Where a connection is cut, seen from one request.</summary>
public enum CutPoint
{
    /// <summary>The server has got nothing of it.</summary>
    BeforeRequest,

    /// <summary>The server has got a part of it.</summary>
    WithinRequest,

    /// <summary>The server has done it; the client never hears of that.</summary>
    BeforeReply,

    /// <summary>Likewise, and the connection stays: whatever is asked on it, there is never a reply.</summary>
    Silent,
}

/// <summary>Stands between clients and a server on loopback, and cuts their connection where a test wants it.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpRelay, Task> relays = [];
    private readonly int target;
    private readonly Task accepting;
    private Cut? armed;

    /// <param name="target">The server's port.</param>
    public TcpProxy(int target)
    {
        this.target = target;
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>How long everything is under way, either way.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Cuts, or silences, once, the connection on which the next request with this pattern comes.</summary>
    /// <param name="meanwhile">Done before the client learns of the cut; null: nothing.</param>
    public void CutAt(CutPoint point, byte[] pattern, Func<Task>? meanwhile = null) =>
        Volatile.Write(ref armed, new Cut(point, pattern, meanwhile ?? (() => Task.CompletedTask)));

    /// <summary>Cuts every connection there is.</summary>
    public void CutNow()
    {
        foreach (var relay in relays.Keys)
        {
            relay.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await accepting;
        CutNow();
        await Task.WhenAll(relays.Values);
    }

    internal Cut? Armed => Volatile.Read(ref armed);

    /// <summary>True for the one relay that is to cut.</summary>
    internal bool Disarm(Cut cut) => Interlocked.CompareExchange(ref armed, null, cut) == cut;

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                var relay = new TcpRelay(this, client);
                relays[relay] = relay.Run(target);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The proxy was disposed.
        }
    }

    internal sealed record Cut(CutPoint Point, byte[] Pattern, Func<Task> Meanwhile);
}
