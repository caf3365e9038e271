using Dbos.Domain.Answers;

namespace Dbos.Application.Tasks;

public static class TaskNotFound
{
    public static Refusal Refusal(string taskId) => new(RefusalCode.NotFound, $"task '{taskId}' is not known");
}
