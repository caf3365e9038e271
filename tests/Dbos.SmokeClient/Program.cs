using Dbos.SmokeClient;
using Dbos.Wire;
using Grpc.Core;
using Grpc.Net.Client;

if (args is not [var address] || !Uri.TryCreate($"http://{address}", UriKind.Absolute, out var uri))
{
    await Console.Error.WriteLineAsync("usage: Dbos.SmokeClient HOST:PORT, for example localhost:50051");
    return 2;
}

using var channel = GrpcChannel.ForAddress(uri, new GrpcChannelOptions { MaxReceiveMessageSize = null });
var steps = new Steps();
try
{
    await new Walk(new DBOS.DBOSClient(channel), steps).Run();
}
catch (RpcException unanswered)
{
    await Console.Error.WriteLineAsync(
        $"DBOS at {address} could not answer ({unanswered.StatusCode}): is it running there, and its store?");
    return 1;
}

Console.WriteLine(steps.Wrong == 0 ? $"all {steps.Taken} steps are ok" : $"{steps.Wrong} of {steps.Taken} steps are WRONG");
return steps.Wrong == 0 ? 0 : 1;
