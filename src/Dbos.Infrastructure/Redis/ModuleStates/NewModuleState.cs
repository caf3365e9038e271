using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.ModuleStates;

/// <summary>The arguments that reported_state.lua reads.</summary>
internal static class NewModuleState
{
    private static readonly RedisValue[] FollowedInRequest = Followed(TransitionGraph.Request);
    private static readonly RedisValue[] FollowedInLife = Followed(TransitionGraph.ModuleLife);

    public static void Add(this List<RedisValue> values, ReportedState reported, Origin origin)
    {
        values.Add(Names.Encode(reported.RequestId));
        values.Add(Names.Encode(reported.AgentId));
        values.Add(Names.Encode(reported.ModuleName));
        values.Add(reported.State.Word());
        values.Add((reported.RequestId.Length == 0 ? FollowedInLife : FollowedInRequest)[(int)reported.State]);
        values.Add(reported.Expected.Least);
        values.Add(reported.Expected.Most);
        values.Add(reported.Timestamp);
        values.Add(ModuleStateValue.WriteDocument(reported.ErrorMessage, reported.Details));
        values.Add(reported.LacksBeginning(isFirst: true)
            ? EventWriter.Parts(reported.Accepted(isFirst: true), origin).Head
            : RedisValue.EmptyString);
        var told = EventWriter.Parts(reported.Accepted(isFirst: false), origin);
        values.Add(told.Head);
        values.Add(told.Tail);
    }

    /// <summary>For each state those that it may follow, each with a space before and after.</summary>
    private static RedisValue[] Followed(TransitionGraph graph) =>
        [.. Enum.GetValues<RunState>().Select(state => (RedisValue)$" {string.Join(' ', graph.Before(state).Select(RunStateWords.Word))} ")];
}
