using System.Diagnostics;
using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>How often an engine is asked, and when it is not asked any more. The engine is a delegate.</summary>
[Collection(Undisturbed.Name)]
public sealed class ResilienceTests
{
    private const int EnoughToBreak = 10;
    private const string Answer = "answer";

    private readonly Dictionary<int, EndPoint> servers = [];
    private readonly Resilience resilience;
    private int asked;

    /// <summary>What the engine does when a partition is asked.</summary>
    private Func<int, Task<string>> engine = Answers;

    public ResilienceTests() => resilience = new Resilience(new StorePermits(), servers.GetValueOrDefault);

    [Fact]
    public async Task After_some_failures_the_engine_is_asked_no_more()
    {
        engine = Away;
        await Fail<StoreUnavailableException>(EnoughToBreak);
        asked = 0;

        await Fail<StoreUnavailableException>(5);

        asked.Should().Be(0);
    }

    [Fact]
    public async Task What_one_server_does_not_answer_is_asked_of_the_others_and_of_its_successor()
    {
        servers[0] = new DnsEndPoint("dead", 1);
        servers[1] = new DnsEndPoint("alive", 1);
        engine = partition => partition == 0 ? Away(partition) : Answers(partition);
        await Fail<StoreUnavailableException>(2 * EnoughToBreak);

        (await Ask(partition: 1)).Should().Be(Answer);

        servers[0] = new DnsEndPoint("successor", 1);
        engine = Answers;
        (await Ask()).Should().Be(Answer);
    }

    [Fact]
    public async Task When_the_store_was_seen_to_answer_calls_are_let_through_again_at_once()
    {
        engine = Away;
        await Fail<StoreUnavailableException>(EnoughToBreak);
        engine = Answers;

        await resilience.CloseCircuits(away: []);

        (await Ask()).Should().Be(Answer);
    }

    [Fact]
    public async Task When_a_part_of_the_store_was_seen_to_answer_calls_are_let_through_to_that_part_alone()
    {
        servers[0] = new DnsEndPoint("dead", 1);
        servers[1] = new DnsEndPoint("back", 1);
        engine = Away;
        await Fail<StoreUnavailableException>(EnoughToBreak);
        await Fail<StoreUnavailableException>(EnoughToBreak, partition: 1);
        engine = Answers;

        await resilience.CloseCircuits(away: [0]);

        (await Ask(partition: 1)).Should().Be(Answer);
        await Fail<StoreUnavailableException>(1);
    }

    [Fact]
    public async Task A_few_failures_among_successes_stop_nobody()
    {
        for (var round = 0; round < EnoughToBreak; round++)
        {
            engine = Away;
            await Fail<StoreUnavailableException>(1);
            engine = Answers;
            (await Ask()).Should().Be(Answer);
        }
    }

    [Fact]
    public async Task Faults_are_told_as_they_are_and_are_no_outage()
    {
        engine = _ => throw new InvalidOperationException("fault");
        await Fail<InvalidOperationException>(2 * EnoughToBreak);
        engine = Answers;

        (await Ask()).Should().Be(Answer);
    }

    [Fact]
    public async Task A_brief_outage_is_waited_out()
    {
        engine = partition => asked switch
        {
            1 => throw Brief(mayBeDone: true),
            2 => throw Brief(mayBeDone: false),
            _ => Answers(partition),
        };

        (await Ask()).Should().Be(Answer);
    }

    [Fact]
    public async Task A_brief_outage_that_lasts_is_an_outage()
    {
        engine = _ => throw Brief(mayBeDone: false);

        await Fail<StoreUnavailableException>(1);

        asked.Should().BeGreaterThan(4);
    }

    [Fact]
    public async Task No_trial_begins_so_late_that_its_end_would_be_beyond_what_callers_are_promised()
    {
        var begins = new List<TimeSpan>();
        var since = Stopwatch.StartNew();
        engine = async _ =>
        {
            begins.Add(since.Elapsed);
            await Task.Delay(300);
            throw Brief(mayBeDone: true);
        };

        await Fail<StoreUnavailableException>(1);

        begins.Should().HaveCountGreaterThan(1).And.OnlyContain(begun => begun < TimeSpan.FromSeconds(1.2));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task What_must_not_be_done_twice_is_asked_again_only_if_it_was_not_done(bool mayBeDone, int trials)
    {
        engine = partition => asked == 1 ? throw Brief(mayBeDone) : Answers(partition);
        var run = () => Ask(isRepeatable: false);

        await (mayBeDone ? run.Should().ThrowAsync<BriefOutageException>() : (Task)run.Should().NotThrowAsync());

        asked.Should().Be(trials);
    }

    [Fact]
    public async Task Beyond_the_most_writes_in_flight_a_write_is_refused_at_once()
    {
        var answer = new TaskCompletionSource<string>();
        engine = _ => answer.Task;
        var waiting = Enumerable.Range(0, StorePermits.Most(StoreWork.Write)).Select(_ => Ask()).ToArray();

        await Fail<StoreBusyException>(1);

        answer.SetResult(Answer);
        await Task.WhenAll(waiting);
        (await Ask()).Should().Be(Answer);
    }

    [Theory]
    [InlineData(StoreWork.Read)]
    [InlineData(StoreWork.Background)]
    public async Task Beyond_the_most_of_one_kind_the_next_waits_and_others_go_on(StoreWork work)
    {
        var most = StorePermits.Most(work);
        var answer = new TaskCompletionSource<string>();
        engine = _ => answer.Task;
        var waiting = Enumerable.Range(0, most + 1).Select(_ => Ask(work: work)).ToArray();
        asked.Should().Be(most);
        engine = Answers;

        foreach (var other in Enum.GetValues<StoreWork>().Where(other => other != work))
        {
            (await Ask(work: other)).Should().Be(Answer);
        }

        waiting.Should().NotContain(call => call.IsCompleted);
        answer.SetResult(Answer);
        await Task.WhenAll(waiting);
    }

    private static Task<string> Answers(int partition) => Task.FromResult(Answer);

    private static Task<string> Away(int partition) => throw new StoreUnavailableException("away");

    private static BriefOutageException Brief(bool mayBeDone) => new("the connection broke", null, mayBeDone);

    private Task<string> Ask(int partition = 0, bool isRepeatable = true, StoreWork work = StoreWork.Write) => resilience.Run(
        isRepeatable ? resilience.Repeatable : resilience.Once,
        partition,
        work,
        cost: 1,
        static (it, _) =>
        {
            it.tests.asked++;
            return it.tests.engine(it.partition);
        },
        (tests: this, partition),
        CancellationToken.None);

    private async Task Fail<TException>(int times, int partition = 0)
        where TException : Exception
    {
        var ask = () => Ask(partition);
        for (var time = 0; time < times; time++)
        {
            await ask.Should().ThrowAsync<TException>();
        }
    }
}
