namespace Dbos.Domain.Audit;

/// <summary>One thing that happened, as the event log tells it. Metadata names: see <see cref="Names"/>.</summary>
public sealed record AuditEvent(string Type, string Message, params (string Name, string Value)[] Metadata)
{
    /// <summary>The metadata names that several kinds of event share.</summary>
    public static class Names
    {
        public const string AgentId = "agent_id";
        public const string Agents = "agents";
        public const string ModuleName = "module_name";
        public const string RequestId = "request_id";
        public const string TaskId = "task_id";
    }
}

/// <summary>
/// Every word that an event's <c>type</c> can be. Those of the wire contract keep their spelling.
/// </summary>
public static class EventTypes
{
    public const string AgentRegistered = "agent_registered";
    public const string AgentChanged = "agent_changed";
    public const string AgentLost = "agent_lost";
    public const string AgentBack = "agent_back";
    public const string AgentRegisterError = "agent_register_error";
    public const string AgentReadError = "agent_read_error";
    public const string AgentListError = "agent_list_error";

    public const string ModuleStateUpdated = "module_state_updated";
    public const string ModuleStateError = "module_state_error";
    public const string ModuleStateReadError = "module_state_read_error";
    public const string ModuleStateListError = "module_state_list_error";

    public const string ResultStored = "result_stored";
    public const string ResultStoreError = "result_store_error";
    public const string ResultReadError = "result_read_error";
    public const string ResultListError = "result_list_error";

    public const string TaskScheduled = "task_scheduled";
    public const string TaskScheduleError = "task_schedule_error";
    public const string TaskReadError = "task_read_error";
    public const string TasksRetrieved = "tasks_retrieved";
    public const string TaskListError = "task_list_error";
    public const string TaskAcknowledged = "task_acknowledged";
    public const string TaskAckError = "task_ack_error";
    public const string TaskNacked = "task_nacked";
    public const string TaskNackError = "task_nack_error";
    public const string TaskLeaseExpired = "task_lease_expired";
    public const string TaskDeadLettered = "task_dead_lettered";
    public const string TaskExtendError = "task_extend_error";
    public const string TaskReleased = "task_released";
    public const string TaskCancelled = "task_cancelled";
    public const string TaskCancelError = "task_cancel_error";
    public const string TaskRequeued = "task_requeued";
    public const string TaskRequeueError = "task_requeue_error";
    public const string TaskDeleted = "task_deleted";
    public const string TaskDeleteError = "task_delete_error";
    public const string TaskRepaired = "task_repaired";
    public const string QueueReadError = "queue_read_error";

    public const string ReplayDiffered = "replay_differed";
}
