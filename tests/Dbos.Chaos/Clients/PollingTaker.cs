using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Clients;

/// <summary>Takes with ListDueTasks.</summary>
internal sealed class PollingTaker(Recorder recorder, Random random) : Taker(recorder, random)
{
    private static readonly ListDueTasksRequest Request = new() { Limit = MostAtOnce, VisibilityTimeoutSeconds = LeaseSeconds };

    public override async Task Act()
    {
        var taken = await Recorder.Try(
            [Recorder.Asked(Method.ListDueTasks, string.Empty)],
            (dbos, options) => dbos.ListDueTasksAsync(Request, options),
            (answer, _) => answer.Tasks.Count > 0
                ? Delivered(Method.ListDueTasks, answer.Tasks)
                : [Recorder.Asked(Method.ListDueTasks, string.Empty) with { Outcome = answer.Error.Length == 0 ? Outcome.Acknowledged : Outcome.Refused, Code = answer.Error }]);
        Begin(taken?.Tasks ?? []);
    }
}
