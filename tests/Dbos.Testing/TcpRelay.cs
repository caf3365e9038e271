using System.Net;
using System.Net.Sockets;

namespace Dbos.Testing;

/// <summary>One connection through a <see cref="TcpProxy"/>.</summary>
internal sealed class TcpRelay(TcpProxy proxy, Socket client) : IDisposable
{
    private const int MostAtOnce = 64 * 1024;

    private readonly Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private volatile TcpProxy.Cut? cutting;
    private volatile bool silent;

    public async Task Run(int target)
    {
        try
        {
            client.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, target);
            await Task.WhenAll(Requests(), Replies());
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Either side is gone.
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
    }

    private async Task Requests()
    {
        var buffer = new byte[MostAtOnce];
        byte[] before = [];
        while (await client.ReceiveAsync(buffer) is > 0 and var count)
        {
            var chunk = buffer.AsMemory(0, count);
            if (proxy.Armed is { } cut)
            {
                // A pattern may come in two chunks.
                byte[] seen = [.. before, .. chunk.Span];
                var at = seen.AsSpan().IndexOf(cut.Pattern);
                if (at >= 0 && proxy.Disarm(cut))
                {
                    silent = cut.Point == CutPoint.Silent;
                    cutting = silent ? null : cut;
                    if (cut.Point is CutPoint.BeforeRequest or CutPoint.WithinRequest)
                    {
                        var part = cut.Point == CutPoint.WithinRequest ? at + (cut.Pattern.Length / 2) - before.Length : 0;
                        await server.SendAsync(chunk[..Math.Max(0, part)]);
                        server.Shutdown(SocketShutdown.Send);
                        return;
                    }
                }

                before = seen[^Math.Min(seen.Length, cut.Pattern.Length - 1)..];
            }

            await Task.Delay(proxy.Delay);
            await server.SendAsync(chunk);
        }

        server.Shutdown(SocketShutdown.Send);
    }

    /// <summary>
    /// A cut ends the way to the server first and the client's only when the server has closed its own: by then
    /// it has worked off all that it got.
    /// </summary>
    private async Task Replies()
    {
        var buffer = new byte[MostAtOnce];
        while (await server.ReceiveAsync(buffer) is > 0 and var count)
        {
            if (cutting is not null)
            {
                server.Shutdown(SocketShutdown.Send);
            }
            else if (!silent)
            {
                await Task.Delay(proxy.Delay);
                await client.SendAsync(buffer.AsMemory(0, count));
            }
        }

        await (cutting?.Meanwhile() ?? Task.CompletedTask);
        Dispose();
    }
}
