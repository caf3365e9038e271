namespace Dbos.Application.Tests.Pipeline;

public sealed class OptimisticWriteTests
{
    private static readonly Refusal Full = new(RefusalCode.InvalidTransition, "the counter is full");

    private readonly CommitContext work = new();
    private readonly Queue<Saved<Counter>> outcomes = new();
    private readonly List<Counter> saved = [];
    private Counter? stored;
    private int reads;
    private int saves;

    [Fact]
    public async Task What_was_decided_on_what_is_stored_is_saved_with_its_events()
    {
        stored = new Counter(4);

        (await Write()).Value.Should().Be(new Written(5, Duplicate: false));
        saved.Should().Equal(new Counter(5));
        work.Events.Should().ContainSingle().Which.Message.Should().Be("counted 5");
    }

    [Fact]
    public async Task Whoever_is_slower_decides_again_on_what_it_found()
    {
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(6)));
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(8)));

        (await Write()).Value.Version.Should().Be(9);
        saved.Select(counter => counter.Version).Should().Equal(1, 7, 9);
        work.Events.Should().ContainSingle().Which.Message.Should().Be("counted 9");
    }

    [Fact]
    public async Task What_was_found_may_also_be_nothing()
    {
        stored = new Counter(4);
        outcomes.Enqueue(new Saved<Counter>.Conflict(null));

        (await Write()).Value.Version.Should().Be(1);
    }

    [Fact]
    public async Task A_decision_on_what_was_found_can_be_a_refusal()
    {
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(Counter.Most)));

        (await Write()).Refusal.Should().Be(Full);
        saved.Should().ContainSingle();
    }

    [Fact]
    public async Task A_refusal_saves_nothing_and_tells_nothing()
    {
        stored = new Counter(Counter.Most);

        (await Write()).Refusal.Should().Be(Full);
        saved.Should().BeEmpty();
        work.Events.Should().BeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mark_that_was_there_is_answered_as_the_first_call_was(bool differs)
    {
        outcomes.Enqueue(new Saved<Counter>.Replayed(new FirstAnswer(3, differs)));

        (await Write()).Value.Should().Be(new Written(3, Duplicate: true));
        work.ReplayDiffered.Should().Be(differs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replay_that_the_aggregate_knows_saves_nothing(bool same)
    {
        stored = new Counter(Counter.Replayed);

        var answer = await Write(saysTheSame: _ => same);

        answer.Value.Should().Be(new Written(Counter.Replayed, Duplicate: true));
        work.ReplayDiffered.Should().Be(!same);
        saved.Should().BeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task What_is_assumed_and_can_be_saved_is_not_read(long assumed)
    {
        stored = new Counter(60);

        (await Write(CounterOf(assumed))).Value.Version.Should().Be(assumed + 1);
        reads.Should().Be(0);
    }

    [Fact]
    public async Task What_was_assumed_and_is_not_so_is_decided_again_on_what_the_commit_found()
    {
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(4)));
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(Counter.Most)));

        (await Write(new Counter(2))).Refusal.Should().Be(Full);
        saved.Should().Equal(new Counter(3), new Counter(5));
        reads.Should().Be(0);
    }

    [Theory]
    [InlineData(Counter.Most)]
    [InlineData(Counter.Replayed)]
    public async Task Neither_a_refusal_nor_a_replay_is_answered_by_an_assumption(long assumed)
    {
        stored = new Counter(4);

        (await Write(new Counter(assumed))).Value.Should().Be(new Written(5, Duplicate: false));
        reads.Should().Be(1);
    }

    [Fact]
    public async Task Of_many_that_are_assumed_those_that_must_be_are_read_at_once()
    {
        var gate = new TaskCompletionSource();
        var asked = 0;
        Change<Counter> Assumed(long version) => new(new CommitContext(), new Counter(version), Counter.Count)
        {
            Read = async () =>
            {
                if (++asked == 2)
                {
                    gate.SetResult();
                }

                await gate.Task.WaitAsync(TimeSpan.FromSeconds(10));
                return new Counter(7);
            },
        };

        var answers = await WriteChanges(Assumed(Counter.Most), Assumed(4), Assumed(Counter.Replayed));

        answers.Select(answer => answer.Value.Version).Should().Equal(8, 5, 8);
        saves.Should().Be(1);
    }

    [Fact]
    public async Task Many_are_saved_together_and_each_is_answered_by_itself()
    {
        outcomes.Enqueue(new Saved<Counter>.Done(5));
        outcomes.Enqueue(new Saved<Counter>.Replayed(new FirstAnswer(3, ContentDiffers: false)));

        var answers = await WriteAll(4, Counter.Most, 6, Counter.Replayed);

        answers.Select(answer => answer.Refusal).Should().Equal(null, Full, null, null);
        answers.Where(answer => !answer.IsRefused).Select(answer => answer.Value).Should().Equal(
            new Written(5, Duplicate: false), new Written(3, Duplicate: true), new Written(Counter.Replayed, Duplicate: true));
        saved.Should().Equal(new Counter(5), new Counter(7));
        saves.Should().Be(1);
    }

    [Fact]
    public async Task Of_many_only_those_that_were_overtaken_are_decided_and_saved_again()
    {
        outcomes.Enqueue(new Saved<Counter>.Done(5));
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(8)));
        outcomes.Enqueue(new Saved<Counter>.Conflict(new Counter(Counter.Most)));

        var answers = await WriteAll(4, 6, 7);

        answers.Select(answer => answer.Refusal).Should().Equal(null, null, Full);
        answers[1].Value.Version.Should().Be(9);
        saved.Should().Equal(new Counter(5), new Counter(7), new Counter(8), new Counter(9));
        saves.Should().Be(2);
    }

    [Fact]
    public async Task Where_nothing_is_to_be_saved_the_store_is_not_asked()
    {
        await WriteAll();
        await WriteAll(Counter.Most, Counter.Replayed);

        saves.Should().Be(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_store_is_told_whether_the_aggregate_goes_for_good(bool deletes)
    {
        var counter = new Counter(4);
        Draft<Counter>? told = null;
        await OptimisticWrite.Run(
            new Change<Counter>(work, counter, _ => deletes ? Decision.Delete(counter) : Decision.To(new Counter(5))),
            save: draft =>
            {
                told = draft;
                return Task.FromResult<Saved<Counter>>(new Saved<Counter>.Done(5));
            });

        told.Should().Be(new Draft<Counter>(counter, deletes ? counter : new Counter(5), deletes, work));
    }

    private Task<Answer<Written>[]> WriteAll(params long[] versions) =>
        WriteChanges([.. versions.Select(version => new Change<Counter>(new CommitContext(), new Counter(version), Counter.Count))]);

    private Task<Answer<Written>[]> WriteChanges(params Change<Counter>[] changes) => OptimisticWrite.RunAll(
        changes,
        drafts =>
        {
            saves++;
            saved.AddRange(drafts.Select(draft => draft.Next));
            return Task.FromResult<IReadOnlyList<Saved<Counter>>>(
                [.. drafts.Select(draft => outcomes.TryDequeue(out var outcome) ? outcome : new Saved<Counter>.Done(draft.Next.Version))]);
        });

    private Task<Answer<Written>> Write(Func<Counter, bool>? saysTheSame = null) =>
        Write(new Change<Counter>(work, stored, Counter.Count, saysTheSame));

    private Task<Answer<Written>> Write(Counter? assumed) => Write(new Change<Counter>(work, assumed, Counter.Count)
    {
        Read = () =>
        {
            reads++;
            return Task.FromResult(stored);
        },
    });

    private Task<Answer<Written>> Write(Change<Counter> change) => OptimisticWrite.Run(
        change,
        save: draft =>
        {
            saved.Add(draft.Next);
            return Task.FromResult(outcomes.TryDequeue(out var outcome) ? outcome : new Saved<Counter>.Done(draft.Next.Version));
        });

    private static Counter? CounterOf(long version) => version == 0 ? null : new Counter(version);

    private sealed record Counter(long Version) : IVersioned
    {
        public const long Replayed = 50;
        public const long Most = 100;

        public static Answer<Decision<Counter>> Count(Counter? stored)
        {
            var next = new Counter((stored?.Version ?? 0) + 1);
            return stored?.Version switch
            {
                Most => Full,
                Replayed => Decision.Replay(stored),
                _ => Decision.To(next, new AuditEvent("counted", $"counted {next.Version}")),
            };
        }
    }
}
