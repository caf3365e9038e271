using Dbos.Application;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class PermitPoolTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly PermitPool pool = new(most: 10, mostWaiting: 3);

    [Fact]
    public async Task Who_finds_enough_enters_at_once_and_others_in_their_order()
    {
        await pool.Enter(6);
        var large = pool.Enter(5).AsTask();
        var small = pool.Enter(1).AsTask();
        small.IsCompleted.Should().BeFalse("small ones would keep a large one out for ever");

        pool.Leave(6, isAnswered: true);

        await Task.WhenAll(large, small).WaitAsync(Patience);
        pool.Enter(4).AsTask().IsCompleted.Should().BeTrue();
        pool.Enter(1).AsTask().IsCompleted.Should().BeFalse();
    }

    [Fact]
    public async Task What_costs_more_than_there_is_takes_all()
    {
        await pool.Enter(1_000);
        var next = pool.Enter(1).AsTask();
        next.IsCompleted.Should().BeFalse();

        pool.Leave(1_000, isAnswered: true);

        await next.WaitAsync(Patience);
        pool.Enter(9).AsTask().IsCompleted.Should().BeTrue();
    }

    [Fact]
    public async Task Who_waits_for_long_in_an_outage_says_so()
    {
        await pool.Enter(5);
        await pool.Enter(5);
        var next = pool.Enter(10).AsTask();
        pool.Leave(5, isAnswered: false);

        await next.Awaiting(task => task.WaitAsync(Patience)).Should().ThrowAsync<StoreUnavailableException>();
    }

    [Fact]
    public async Task Who_waits_for_long_is_refused_and_those_behind_it_enter()
    {
        await pool.Enter(9);
        await pool.Enter(1);
        var large = pool.Enter(5).AsTask();
        pool.Leave(1, isAnswered: true);
        var small = pool.Enter(1).AsTask();

        await large.Awaiting(task => task.WaitAsync(Patience)).Should().ThrowAsync<StoreBusyException>();
        await small.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Patience);
        if (small.IsCompletedSuccessfully)
        {
            pool.Leave(1, isAnswered: true);
        }

        pool.Leave(9, isAnswered: true);
        pool.Enter(10).AsTask().IsCompleted.Should().BeTrue("nothing was kept");
    }

    [Fact]
    public async Task Beyond_the_most_that_wait_the_next_is_refused_at_once()
    {
        await pool.Enter(10);
        var waiting = Enumerable.Range(0, 3).Select(_ => pool.Enter(1).AsTask()).ToArray();

        pool.Invoking(it => it.Enter(1).AsTask()).Should().ThrowAsync<StoreBusyException>().IsCompleted.Should().BeTrue();

        pool.Leave(10, isAnswered: true);
        await Task.WhenAll(waiting).WaitAsync(Patience);
    }
}
