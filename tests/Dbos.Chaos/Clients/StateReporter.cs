using System.Globalization;
using Dbos.Chaos.Histories;
using Grpc.Core;

namespace Dbos.Chaos.Clients;

/// <summary>Reports how far runs are: its own, one after the other, and module lives that all reporters move on together.</summary>
internal sealed class StateReporter(string name, Recorder recorder, Random random) : IClient
{
    private const string SharedAgent = "shared-agent";
    private const int SharedModules = 3;

    private static readonly string[] Steps = ["created", "started", "running", "completed"];

    private int runs;
    private int step;

    public Task Act() => random.Next(2) == 0 ? ReportRun() : MoveLife();

    private Task ReportRun()
    {
        var state = new ModuleState
        {
            AgentId = name,
            ModuleName = "ping",
            RequestId = string.Create(CultureInfo.InvariantCulture, $"{name}-run-{runs}"),
            State = Steps[step],
            Timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
        };
        var request = new SetModuleStateRequest { State = state };
        if (random.Next(2) == 0)
        {
            request.ExpectedVersion = step;
        }

        step = (step + 1) % Steps.Length;
        runs += step == 0 ? 1 : 0;
        return Report(request);
    }

    /// <summary>Reads where it is and moves it on, if nobody else is faster. The call has a name: a late copy of it is no new beginning.</summary>
    private async Task MoveLife()
    {
        var module = string.Create(CultureInfo.InvariantCulture, $"module-{random.Next(SharedModules)}");
        var asked = recorder.Asked(Method.ListModuleStates, Subjects.OfState(SharedAgent, module, string.Empty));
        var found = await recorder.Try(
            [asked],
            (dbos, options) => dbos.ListModuleStatesAsync(new() { AgentId = SharedAgent, ModuleName = module }, options),
            (answer, _) => [asked.Read(answer)]);
        if (found is null)
        {
            return;
        }

        var last = found.States.FirstOrDefault();
        var state = new ModuleState
        {
            AgentId = SharedAgent,
            ModuleName = module,
            State = Steps[last is null ? 0 : (Array.IndexOf(Steps, last.State) + 1) % Steps.Length],
            Timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            Details = { ["by"] = string.Create(CultureInfo.InvariantCulture, $"{name} {random.NextInt64()}") },
        };
        var request = new SetModuleStateRequest { State = state, ExpectedVersion = last?.Version ?? 0 };
        await Report(request, new Metadata { { "idempotency-key", state.Details["by"] } });
    }

    private Task Report(SetModuleStateRequest request, Metadata? headers = null)
    {
        var asked = recorder.Asked(Method.SetModuleState, Subjects.Of(request.State), content: Content.Of(request.State));
        return recorder.Write([asked], (dbos, options) => dbos.SetModuleStateAsync(request, options), answer => [asked.Answered(answer)], headers);
    }
}
