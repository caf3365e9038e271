using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

public sealed record ListDeadLetterTasks(TaskFilter Filter, PageRequest Page) : IQuery<Page<MeasurementTask>>
{
    public string RefusedEvent => EventTypes.QueueReadError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<ListDeadLetterTasks>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            this.IsFilter(query => query.Filter);
            this.IsPage(query => query.Page);
        }
    }

    public sealed class Handler(ITaskRepository tasks) : IRequestHandler<ListDeadLetterTasks, Answer<Page<MeasurementTask>>>
    {
        public async Task<Answer<Page<MeasurementTask>>> Handle(ListDeadLetterTasks query, CancellationToken cancellationToken) =>
            await tasks.List(MeasurementTaskStatus.Failed, query.Filter, query.Page, cancellationToken);
    }
}
