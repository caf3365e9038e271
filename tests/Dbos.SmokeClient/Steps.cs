using Google.Protobuf;
using Grpc.Core;

namespace Dbos.SmokeClient;

/// <summary>Prints each step on a line of its own, with what came back, and counts those that are wrong.</summary>
internal sealed class Steps
{
    private const int LongestShown = 120;

    public int Taken { get; private set; }

    public int Wrong { get; private set; }

    public async Task<T> Take<T>(string what, AsyncUnaryCall<T> call, Func<T, bool> isRight)
        where T : IMessage<T>
    {
        var reply = await call;
        Check(what, isRight(reply), JsonFormatter.Default.Format(reply));
        return reply;
    }

    public void Check(string what, bool isRight, string cameBack)
    {
        Taken++;
        Wrong += isRight ? 0 : 1;
        var shown = cameBack.Length <= LongestShown ? cameBack : $"{cameBack[..LongestShown]}…";
        Console.WriteLine($"{(isRight ? "ok" : "WRONG"),-6}{what,-44}{shown}");
    }
}
