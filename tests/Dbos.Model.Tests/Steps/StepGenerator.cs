using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using FsCheck;
using FsCheck.Fluent;

namespace Dbos.Model.Tests.Steps;

/// <summary>Random walks over few tasks of few agents, so that the steps meet.</summary>
internal static class StepGenerator
{
    public const int Replicas = 2;
    public const int Tasks = 16;
    private const int LongestWalk = 50;

    /// <summary>One needs its name to be escaped, and a task may have none.</summary>
    public static readonly string[] Agents = ["a1", "a2", "a:3", ""];

    public static readonly string[] Modules = ["ping", "trace", ""];

    private static readonly Gen<int> Task = Gen.Choose(0, Tasks - 1);
    private static readonly Gen<int> Offset = Gen.Choose(0, 9);

    /// <summary>Most agents have one module.</summary>
    private static readonly Gen<Planned> Plan =
        from task in Task
        from agent in OneOf(Agents, 6, 5, 2, 1)
        from module in OneOf([Modules[agent.Length % 2], .. Modules], 40, 2, 2, 1)
        from priority in OneOf([0, 5, 9, MeasurementTask.HighestPriority + 1], 40, 8, 4, 1)
        from due in OneOf([Due.LongAgo, Due.Now, Due.Later], 5, 3, 1)
        from offset in Offset
        from retries in Gen.Choose(1, 2)
        from expiries in Gen.Choose(1, 2)
        select new Planned(task, agent, module, priority, due, due == Due.Now ? 0 : offset, retries, expiries);

    /// <summary>Mostly as an honest holder does.</summary>
    private static readonly Gen<Token> AnyToken = OneOf([Token.Current, Token.None, Token.Stale, Token.Future], 6, 2, 2, 1);

    private static readonly Gen<Held> Hold = from task in Task from token in AnyToken select new Held(task, token);

    private static readonly Gen<TaskFilter> Filter =
        from agent in OneOf(["", .. Agents[..3]], 12, 3, 2, 1)
        from module in OneOf(["", .. Modules[..2]], 6, 2, 1)
        select new TaskFilter(agent, module);

    private static readonly Gen<Step> Unplaced = Gen.Frequency(
        (8, from tasks in Some(Plan, 8) select (Step)new Schedule(tasks)),
        (10, from filter in Filter
            from limit in Gen.Elements(1, 1, 2, 3, 100)
            from due in OneOf([Due.LongAgo, Due.Now, Due.Later], 1, 8, 2)
            from offset in Offset
            from lease in Gen.Elements(Lease.Short, Lease.OneHour, Lease.ThreeHours)
            select (Step)new Take(filter, limit, due, offset, lease)),
        (3, from task in Task from token in AnyToken from hours in Gen.Elements(2, 4) select (Step)new Extend(task, token, hours)),
        (4, from tasks in Some(Hold, 4) select (Step)new Ack(tasks)),
        (5, from task in Task
            from token in AnyToken
            from delay in Gen.Elements((true, 0), (true, 0), (false, 0), (false, 5))
            select (Step)new Nack(task, token, delay.Item1, delay.Item2)),
        (2, from task in Task select (Step)new Cancel(task)),
        (1, Gen.Constant((Step)new GiveBack())),
        (4, Gen.Constant((Step)new ExpireLeases())),
        (1, Gen.Constant((Step)new Purge())),
        (2, from tasks in Some(Task, 3) select (Step)new Requeue(tasks, TaskFilter.Any)),
        (1, from filter in Filter select (Step)new Requeue([], filter)),
        (1, from task in Task select (Step)new Delete(task)),
        (3, from status in Gen.Elements<string>(["", .. MeasurementTaskStatusWords.All])
            from filter in Filter
            from page in Gen.Elements(0, 1, 3)
            select (Step)new Look(status, filter, page)));

    private static readonly Gen<Step> Any =
        from step in Unplaced
        from replica in Gen.Choose(0, Replicas - 1)
        from key in OneOf<string?>([null, "k1", "k2"], 18, 1, 1)
        select step with { Replica = replica, Key = key };

    public static Arbitrary<Step[]> Walks { get; } =
        Arb.From(from length in Gen.Choose(1, LongestWalk) from steps in Any.ArrayOf(length) select steps, Shrink);

    /// <summary>Fewer steps; then plainer ones.</summary>
    private static IEnumerable<Step[]> Shrink(Step[] walk)
    {
        for (var length = walk.Length / 2; length > 0; length /= 2)
        {
            for (var at = 0; at + length <= walk.Length; at += length)
            {
                yield return [.. walk[..at], .. walk[(at + length)..]];
            }
        }

        for (var at = 0; at < walk.Length; at++)
        {
            foreach (var plainer in Shrink(walk[at]))
            {
                yield return [.. walk[..at], plainer, .. walk[(at + 1)..]];
            }
        }
    }

    private static IEnumerable<Step> Shrink(Step step)
    {
        if (step.Key is not null)
        {
            yield return step with { Key = null };
        }

        if (step.Replica > 0)
        {
            yield return step with { Replica = 0 };
        }

        var plainer = step switch
        {
            Schedule schedule => Shrink(schedule.Tasks).Select(tasks => (Step)(schedule with { Tasks = tasks }))
                .Concat(schedule.Tasks.SelectMany((task, at) => Plainer(task).Select(
                    other => schedule with { Tasks = [.. schedule.Tasks.Take(at), other, .. schedule.Tasks.Skip(at + 1)] }))),
            Ack ack => Shrink(ack.Tasks).Select(tasks => ack with { Tasks = tasks }),
            Requeue requeue => Shrink(requeue.Tasks).Select(tasks => requeue with { Tasks = tasks }),
            _ => [],
        };
        foreach (var other in plainer)
        {
            yield return other;
        }
    }

    private static IEnumerable<IReadOnlyList<T>> Shrink<T>(IReadOnlyList<T> some) =>
        some.Count < 2 ? [] : some.Select((_, left) => some.Where((_, at) => at != left).ToArray());

    private static IEnumerable<Planned> Plainer(Planned task)
    {
        if (task.Priority > 0)
        {
            yield return task with { Priority = 0 };
        }

        if (task.Due != Due.LongAgo)
        {
            yield return task with { Due = Due.LongAgo };
        }
    }

    private static Gen<T> OneOf<T>(T[] some, params int[] weights) =>
        Gen.Frequency(some.Zip(weights, (one, weight) => (weight, Gen.Constant(one))));

    /// <summary>Mostly one.</summary>
    private static Gen<T[]> Some<T>(Gen<T> one, int most) =>
        Gen.OneOf(one.ArrayOf(1), from count in Gen.Choose(1, most) from some in one.ArrayOf(count) select some);
}
