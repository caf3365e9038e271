namespace Dbos.Application.Tests.Pipeline;

public sealed class OptimisticWriteTests
{
    private static readonly Refusal Full = new(RefusalCode.InvalidTransition, "the counter is full");

    private readonly CommitContext work = new();
    private readonly Queue<Saved<Counter>> outcomes = new();
    private readonly List<Counter> saved = [];
    private Counter? stored;
    private int reads;

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

    [Fact]
    public async Task A_replay_that_the_record_knows_saves_nothing()
    {
        stored = new Counter(Counter.Replayed);

        (await Write()).Value.Should().Be(new Written(Counter.Replayed, Duplicate: true));
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

    private Task<Answer<Written>> Write() => Write(stored);

    private Task<Answer<Written>> Write(Counter? assumed) => Write(new Change<Counter>(
        work,
        assumed,
        Counter.Count,
        Read: () =>
        {
            reads++;
            return Task.FromResult(stored);
        }));

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
