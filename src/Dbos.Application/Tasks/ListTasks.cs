using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="Status">Its word; empty: of each status, one after the other.</param>
public sealed record ListTasks(string Status, TaskFilter Filter, PageRequest Page) : IQuery<Page<MeasurementTask>>
{
    public string RefusedEvent => EventTypes.QueueReadError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<ListTasks>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.Status)
                .Must(status => status.Length == 0 || MeasurementTaskStatusWords.Parse(status) is not null)
                .WithMessage((_, status) => Rules.Sentence(
                    "status", $"must be empty or one of {string.Join(", ", MeasurementTaskStatusWords.All)}", status));
            this.IsFilter(query => query.Filter);
            this.IsPage(query => query.Page);
        }
    }

    public sealed class Handler(ITaskRepository tasks) : IRequestHandler<ListTasks, Answer<Page<MeasurementTask>>>
    {
        public async Task<Answer<Page<MeasurementTask>>> Handle(ListTasks query, CancellationToken cancellationToken) =>
            await tasks.List(MeasurementTaskStatusWords.Parse(query.Status), query.Filter, query.Page, cancellationToken);
    }
}
