using System.Net;
using System.Net.Sockets;

namespace Dbos.Testing;

public static class FreePort
{
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
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Somebody listens on it.
            }
        }
    }
}
