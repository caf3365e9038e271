using Dbos.Chaos.Histories;
using Grpc.Core;

namespace Dbos.Chaos.Clients;

/// <summary>Takes with StreamDueTasks, each stream for some seconds.</summary>
internal sealed class StreamingTaker(Recorder recorder, Random random) : Taker(recorder, random)
{
    private static readonly TimeSpan Listening = TimeSpan.FromSeconds(5);
    private static readonly StreamDueTasksRequest Request = new() { MaxInflight = MostAtOnce, VisibilityTimeoutSeconds = LeaseSeconds };

    public override async Task Act()
    {
        var (id, opened) = (Recorder.History.NextId(), Recorder.History.Now);
        using var end = new CancellationTokenSource(Listening);
        try
        {
            using var stream = Recorder.Replicas.Client.StreamDueTasks(Request, cancellationToken: end.Token);
            while (await stream.ResponseStream.MoveNext(CancellationToken.None))
            {
                var tasks = stream.ResponseStream.Current.Tasks;
                Recorder.Note(id, opened, Delivered(Method.StreamDueTasks, tasks));
                Begin(tasks);
            }
        }
        catch (RpcException ended) when (!end.IsCancellationRequested)
        {
            Recorder.NoteUnknown(id, opened, [Recorder.Asked(Method.StreamDueTasks, string.Empty)], ended);
            await Recorder.Replicas.TurnToTheNext();
        }
        catch (RpcException)
        {
            // It has listened for long enough.
        }
    }
}
