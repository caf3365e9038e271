using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Dbos.Testing;

/// <summary>One command over a connection of its own. As redis-cli, without the time that a process takes to start.</summary>
internal static class RedisReply
{
    /// <returns>The reply as redis-cli prints it into a pipe: an array is a line for each element.</returns>
    public static async Task<string> To(int port, IReadOnlyCollection<string> command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await using var stream = client.GetStream();
        var words = command.Select(word => string.Create(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));
        await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{command.Count}\r\n{string.Concat(words)}")));
        await using var reading = new BufferedStream(stream);
        return await Read(reading);
    }

    private static async Task<string> Read(Stream stream)
    {
        var line = await ReadLine(stream);
        switch (line[0])
        {
            case '$':
                var text = new byte[Math.Max(0, Number(line))];
                await stream.ReadExactlyAsync(text);
                return Number(line) < 0 ? string.Empty : Encoding.UTF8.GetString(text) + await ReadLine(stream);
            case '*':
                var elements = new List<string>();
                for (var i = 0; i < Number(line); i++)
                {
                    elements.Add(await Read(stream));
                }

                return string.Join('\n', elements);
            default:
                return line[1..];
        }
    }

    private static async Task<string> ReadLine(Stream stream)
    {
        var line = new StringBuilder();
        var next = new byte[1];
        do
        {
            await stream.ReadExactlyAsync(next);
            line.Append((char)next[0]);
        }
        while (next[0] != '\n');

        return line.ToString().TrimEnd();
    }

    private static int Number(string line) => int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
}
