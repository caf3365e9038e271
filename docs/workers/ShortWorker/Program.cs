// Takes the tasks of one module, one at a time: ShortWorker ADDRESS MODULE
using System.Text.Json;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;

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
            while (await System.Threading.Tasks.Task.WhenAny(measuring, System.Threading.Tasks.Task.Delay(3_000)) != measuring)
            {
                // Refused: the task was cancelled, or the lease was lost to another worker.
                var extended = await dbos.ExtendTaskLeaseAsync(new() { TaskId = id, LeaseToken = token, Seconds = 10 });
                stop.CancelAfter(extended.Success ? Timeout.Infinite : 0);
            }

            _ = measuring.IsCompletedSuccessfully
                ? (await dbos.AckTaskAsync(new() { TaskId = id, LeaseToken = token })).Success
                : (await dbos.NackTaskAsync(new() { TaskId = id, LeaseToken = token, Reason = $"{measuring.Exception?.Message}" })).Success;
        }
    }
    catch (RpcException)
    {
        // DBOS is away; what was held comes again when its lease has expired.
        await System.Threading.Tasks.Task.Delay(1_000);
    }
}

// Yours: throws what went wrong; ends early when it is told to stop.
static async System.Threading.Tasks.Task Measure(ReadOnlyMemory<byte> payload, CancellationToken stop) => await System.Threading.Tasks.Task.Delay(
    TimeSpan.FromSeconds(JsonDocument.Parse(payload).RootElement.GetProperty("seconds").GetDouble()), stop);
