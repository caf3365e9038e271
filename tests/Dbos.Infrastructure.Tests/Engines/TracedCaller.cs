using System.Collections.Concurrent;
using System.Diagnostics;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>A caller whose trace is kept: the spans in it that have ended.</summary>
internal sealed class TracedCaller : IDisposable
{
    private readonly ConcurrentQueue<Activity> ended = [];
    private readonly ActivityListener listener;

    public TracedCaller()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        Span = new Activity("caller").Start();
    }

    public Activity Span { get; }

    /// <summary>Of this trace, whoever's children they are.</summary>
    public IEnumerable<Activity> All => ended.Where(span => span.TraceId == Span.TraceId);

    public IEnumerable<Activity> Children => ended.Where(span => span.ParentSpanId == Span.SpanId);

    public void Dispose()
    {
        Span.Dispose();
        listener.Dispose();
    }
}
