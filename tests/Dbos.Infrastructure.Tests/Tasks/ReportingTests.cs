using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>A suite of ends of deliveries that carry a result or a state.</summary>
public abstract class ReportingTests(IEngine engine) : TaskTests(engine)
{
    protected async Task<long> Deliver()
    {
        await Dbos.Send(Given.Task());
        return (await TakeOne()).LeaseToken;
    }

    protected async Task<MeasurementResult?> StoredResult() =>
        await Dbos.Send(new GetResult("a1", "t1")) is { IsRefused: false } found ? found.Value : null;

    protected async Task<ModuleState?> StoredState() =>
        await Dbos.Send(new GetModuleState("t1", "a1")) is { IsRefused: false } found ? found.Value : null;

    /// <summary>Nothing but the refusal's event is written.</summary>
    protected async Task ShouldBeRefused(IWrite write, RefusalCode code, string words)
    {
        Answer<Written> answer = default;
        var effect = await Dbos.EffectOf(async () => answer = await Dbos.Send(write));

        answer.Refusal.Should().Match<Refusal>(refusal => refusal.Code == code && refusal.Sentence.Contains(words));
        effect.Split('\n').Should().OnlyContain(change => change.Contains("refusals", StringComparison.Ordinal));
    }
}
