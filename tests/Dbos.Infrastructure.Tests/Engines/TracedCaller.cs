using System.Collections.Concurrent;
using System.Diagnostics;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>A caller whose trace is kept, and no other: the spans in it that have ended.</summary>
internal sealed class TracedCaller : IDisposable
{
    private readonly ConcurrentQueue<Activity> ended = [];
    private readonly ActivityListener listener;

    public TracedCaller()
    {
        Span = new Activity("caller").Start();
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> span) =>
                span.Parent.TraceId == Span.TraceId ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
    }

    public Activity Span { get; }

    /// <summary>Whoever's children they are.</summary>
    public IEnumerable<Activity> All => ended;

    public IEnumerable<Activity> Children => ended.Where(span => span.ParentSpanId == Span.SpanId);

    public void Dispose()
    {
        Span.Dispose();
        listener.Dispose();
    }
}
