using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Events;

public sealed class EventHeadsTests(SqliteEngine engine) : StoreTests(engine), IClassFixture<SqliteEngine>
{
    [Fact]
    public async Task A_look_for_all_who_wait_is_in_the_trace_of_none()
    {
        using var caller = new TracedCaller();

        await Dbos.Get<EventHeads>().Next(None);

        caller.Children.Should().BeEmpty();
    }
}
