using System.Net;
using System.Net.Sockets;

namespace Dbos.Testing;

public static class FreePort
{
    /// <summary>A loopback port that nothing listens on. Whoever starts a server on it tries again with another if it was taken meanwhile.</summary>
    public static int Find()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
