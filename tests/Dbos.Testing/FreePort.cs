using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Dbos.Testing;

public static class FreePort
{
    /// <summary>A server that is not started yet, or down for a while, keeps its port among the tests of one process.</summary>
    private static readonly ConcurrentDictionary<int, bool> Found = [];

    /// <summary>
    /// A loopback port that nothing listens on, from below those that Linux gives to clients: a server that is
    /// killed finds its port free again. Whoever starts a server on it tries again with another if it was taken meanwhile.
    /// </summary>
    public static int Find()
    {
        const int First = 10_000;
        const int FirstOfClients = 32_768;
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(First, FirstOfClients));
                listener.Start();
                var port = ((IPEndPoint)listener.LocalEndpoint).Port;
                if (Found.TryAdd(port, true))
                {
                    return port;
                }
            }
            catch (SocketException)
            {
                // Somebody listens on it.
            }
        }
    }
}
