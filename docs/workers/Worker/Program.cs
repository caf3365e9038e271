// Takes the tasks of one module, eight at a time: Worker ADDRESS MODULE LEASE_SECONDS
using System.Globalization;
using System.Text.Json;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Delivery = Dbos.Wire.Task;
using Task = System.Threading.Tasks.Task;

var (address, module, seconds) = (args[0], args[1], long.Parse(args[2], CultureInfo.InvariantCulture));
using var channel = GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions
{
    // So that a connection that went silent is noticed, and one that broke is back soon.
    HttpHandler = new SocketsHttpHandler { KeepAlivePingDelay = TimeSpan.FromSeconds(20), EnableMultipleHttp2Connections = true },
    MaxReconnectBackoff = TimeSpan.FromSeconds(5),
});
var dbos = new DBOS.DBOSClient(channel);
await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Work()));

// Takes one task at a time, and opens the stream again when it breaks.
async Task Work()
{
    var order = new StreamDueTasksRequest { ModuleName = module, MaxInflight = 1, VisibilityTimeoutSeconds = seconds };
    while (true)
    {
        try
        {
            using var stream = dbos.StreamDueTasks(order);
            await foreach (var reply in stream.ResponseStream.ReadAllAsync())
            {
                if (reply.Error.Length > 0)
                {
                    throw new InvalidOperationException(reply.Error);
                }

                foreach (var task in reply.Tasks)
                {
                    await Hold(task);
                }
            }
        }
        catch (RpcException)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }
}

// Measures under the lease and tells DBOS the end; while DBOS cannot answer, again and again.
async Task Hold(Delivery task)
{
    var (id, token) = (task.Id, task.LeaseToken);
    using var stop = new CancellationTokenSource();
    var measuring = Measure(task, stop.Token);
    for (var held = true; held;)
    {
        await Task.WhenAny(measuring, Task.Delay(TimeSpan.FromSeconds(seconds / 3.0)));
        var ended = measuring.IsCompleted;
        var soon = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(10));
        try
        {
            var error = (ended, measuring.IsCompletedSuccessfully) switch
            {
                (false, _) => (await dbos.ExtendTaskLeaseAsync(new() { TaskId = id, LeaseToken = token, Seconds = seconds }, soon)).Error,
                (_, true) => (await dbos.AckTaskAsync(new() { TaskId = id, LeaseToken = token }, soon)).Error,
                _ => (await dbos.NackTaskAsync(new() { TaskId = id, LeaseToken = token, Reason = WhyFailed(measuring) }, soon)).Error,
            };
            held = error.Length == 0 && !ended; // refused: TASK_CANCELLED, or LEASE_LOST to another worker
            Console.WriteLine($"{id} {(error.Length > 0 ? error : ended ? "ended" : "goes on")}");
        }
        catch (RpcException)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }

    await stop.CancelAsync();
    await measuring.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

// Yours: measures and stores the result, throws what went wrong, ends when told to stop.
async Task Measure(Delivery task, CancellationToken stop)
{
    using var payload = JsonDocument.Parse(task.Payload.Memory);
    await Task.Delay(TimeSpan.FromSeconds(payload.RootElement.GetProperty("seconds").GetDouble()), stop);
}

string WhyFailed(Task measuring)
{
    var reason = measuring.Exception?.GetBaseException().Message ?? "it was cancelled";
    return reason[..Math.Min(reason.Length, 1000)];
}
