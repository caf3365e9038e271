// Takes the tasks of one module, one at a time: ShortWorker ADDRESS MODULE
using System.Text.Json;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Task = System.Threading.Tasks.Task;

var dbos = new DBOS.DBOSClient(GrpcChannel.ForAddress($"http://{args[0]}"));
while (true)
{
    try
    {
        using var stream = dbos.StreamDueTasks(new StreamDueTasksRequest { ModuleName = args[1], VisibilityTimeoutSeconds = 10 });
        await foreach (var task in stream.ResponseStream.ReadAllAsync().SelectMany(reply => reply.Tasks))
        {
            var (id, token, stop) = (task.Id, task.LeaseToken, new CancellationTokenSource());
            var measuring = Measure(task.Payload.Memory, stop.Token);
            try
            {
                while (await Task.WhenAny(measuring, Task.Delay(3_000)) != measuring)
                {
                    // Refused: the task was cancelled, or the lease was lost to another worker.
                    var extended = await dbos.ExtendTaskLeaseAsync(
                        new() { TaskId = id, LeaseToken = token, Seconds = 10 }, deadline: DateTime.UtcNow.AddSeconds(5));
                    stop.CancelAfter(extended.Success ? Timeout.Infinite : 0);
                }
            }
            catch (RpcException)
            {
                // DBOS is away, and the lease may be lost: it comes again, but never while it is still measured here.
                await stop.CancelAsync();
                await measuring.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }

            _ = measuring.IsCompletedSuccessfully
                ? (await dbos.AckTaskAsync(new() { TaskId = id, LeaseToken = token })).Success
                : (await dbos.NackTaskAsync(new() { TaskId = id, LeaseToken = token, Reason = $"{measuring.Exception?.Message}" })).Success;
        }
    }
    catch (RpcException)
    {
        // DBOS is away; what was held comes again when its lease has expired.
        await Task.Delay(1_000);
    }
}

// Yours: throws what went wrong; ends early when it is told to stop.
static async Task Measure(ReadOnlyMemory<byte> payload, CancellationToken stop) => await Task.Delay(
    TimeSpan.FromSeconds(JsonDocument.Parse(payload).RootElement.GetProperty("seconds").GetDouble()), stop);
