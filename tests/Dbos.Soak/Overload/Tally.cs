using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Health.V1;

namespace Dbos.Soak.Overload;

/// <summary>How calls ended, and how the server looked meanwhile.</summary>
internal sealed class Tally
{
    private int rejected;
    private int exhaustedWithoutDelay;

    /// <summary>How long each accepted call took.</summary>
    public ConcurrentBag<TimeSpan> Accepted { get; } = [];

    /// <summary>How long each call took that was refused for want of room.</summary>
    public ConcurrentBag<TimeSpan> Exhausted { get; } = [];

    /// <summary>Any other end.</summary>
    public ConcurrentDictionary<StatusCode, int> Failed { get; } = [];

    /// <summary>Answered, but not with success.</summary>
    public int Rejected => rejected;

    /// <summary>Refused without being told when to come again.</summary>
    public int ExhaustedWithoutDelay => exhaustedWithoutDelay;

    /// <summary>Not sent by the caller, who had too many unanswered calls already.</summary>
    public int Unsent { get; set; }

    /// <summary>Bytes, in the order of time.</summary>
    public List<long> Memory { get; } = [];

    /// <summary>Null: there was no answer.</summary>
    public List<HealthCheckResponse.Types.ServingStatus?> Health { get; } = [];

    public void Answered(TimeSpan after, bool success)
    {
        if (success)
        {
            Accepted.Add(after);
        }
        else
        {
            Interlocked.Increment(ref rejected);
        }
    }

    public void Refused(RpcException refused, TimeSpan after)
    {
        if (refused.StatusCode != StatusCode.ResourceExhausted)
        {
            Failed.AddOrUpdate(refused.StatusCode, 1, (_, some) => some + 1);
            return;
        }

        Exhausted.Add(after);
        if (refused.Trailers.GetValue("grpc-retry-pushback-ms") is null)
        {
            Interlocked.Increment(ref exhaustedWithoutDelay);
        }
    }
}
