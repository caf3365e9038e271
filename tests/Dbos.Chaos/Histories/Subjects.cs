namespace Dbos.Chaos.Histories;

/// <summary>The names by which calls, records and events are brought together.</summary>
internal static class Subjects
{
    public static string Of(MeasurementResult result) => OfResult(result.AgentId, result.Id);

    /// <summary>Without a request id it is the module's own life.</summary>
    public static string Of(ModuleState state) => OfState(state.AgentId, state.ModuleName, state.RequestId);

    public static string OfResult(string agentId, string id) => $"{agentId}/{id}";

    public static string OfState(string agentId, string moduleName, string requestId) =>
        requestId.Length > 0 ? requestId : $"{agentId}/{moduleName}";
}
