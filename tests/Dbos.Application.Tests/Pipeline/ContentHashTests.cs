namespace Dbos.Application.Tests.Pipeline;

public sealed class ContentHashTests
{
    [Fact]
    public void The_order_of_a_map_is_of_no_matter()
    {
        var forth = Enumerable.Range(0, 50).ToDictionary(number => $"key{number}", number => $"value{number}");
        var back = forth.Reverse().ToDictionary();

        Hash(content => content.Add(forth)).Should().Be(Hash(content => content.Add(back)));
    }

    [Fact]
    public void Keys_and_values_of_a_map_do_not_change_places() =>
        Hash(content => content.Add(Map(("a", "b"), ("c", "d")))).Should().NotBe(Hash(content => content.Add(Map(("a", "d"), ("c", "b")))));

    public static TheoryData<Func<ContentHash.Builder, ContentHash.Builder>, Func<ContentHash.Builder, ContentHash.Builder>> RunTogether => new()
    {
        { content => content.Add("ab").Add("c"), content => content.Add("a").Add("bc") },
        { content => content.Add("ab").Add(""), content => content.Add("").Add("ab") },
        { content => content.Add("ab"), content => content.Add("ab").Add("") },
        { content => content.Add([1, 2]).Add([3]), content => content.Add([1]).Add([2, 3]) },
        { content => content.Add(Map(("a", "bc"))), content => content.Add(Map(("ab", "c"))) },
        { content => content.Add(Map()).Add("a"), content => content.Add(Map(("a", ""))) },
        { content => content.Add(1).Add(2), content => content.Add(2).Add(1) },
    };

    [Theory]
    [MemberData(nameof(RunTogether))]
    public void No_two_lists_of_fields_run_together(
        Func<ContentHash.Builder, ContentHash.Builder> one, Func<ContentHash.Builder, ContentHash.Builder> other) =>
        Hash(one).Should().NotBe(Hash(other));

    [Fact]
    public void The_hash_is_the_same_in_every_release() =>
        Hash(content => content.Add("request-1").Add(7).Add([1, 2, 3]).Add(Map(("b", "2"), ("a", "1"))))
            .ToString().Should().Be("24bd1cb8cf05b59599db5174a93f236b");

    public static TheoryData<IWrite, IWrite> Differing => new()
    {
        { new RegisterAgent(Samples.Heartbeat), new RegisterAgent(Samples.Heartbeat with { Hostname = "host-2" }) },
        { new RegisterAgent(Samples.Heartbeat), new RegisterAgent(Samples.Heartbeat with { Alive = false }) },
        { new RegisterAgent(Samples.Heartbeat), new RegisterAgent(Samples.Heartbeat with { Config = ConfigValues.Of(Map()) }) },
        { new RegisterAgent(Samples.Heartbeat), new RegisterAgent(Samples.Heartbeat with { TotalHeartbeats = 2 }) },
        { new SetModuleState(Samples.Report, null), new SetModuleState(Samples.Report with { State = "failed" }, null) },
        { new SetModuleState(Samples.Report, null), new SetModuleState(Samples.Report with { ErrorMessage = "x" }, null) },
        { new SetModuleState(Samples.Report, null), new SetModuleState(Samples.Report with { Details = Map() }, null) },
        { new SetModuleState(Samples.Report, null), new SetModuleState(Samples.Report with { Timestamp = 1 }, null) },
        { new StoreResult(Samples.Result), new StoreResult(Samples.Result with { Data = new byte[] { 1 } }) },
        { new StoreResult(Samples.Result), new StoreResult(Samples.Result with { ModuleName = "ping" }) },
        { new StoreResult(Samples.Result), new StoreResult(Samples.Result with { Timestamp = 1 }) },
        { new ScheduleTask(Samples.NewTask), new ScheduleTask(Samples.NewTask with { Payload = new byte[] { 1 } }) },
        { new ScheduleTask(Samples.NewTask), new ScheduleTask(Samples.NewTask with { ScheduledAt = 1 }) },
        { new ScheduleTask(Samples.NewTask), new ScheduleTask(Samples.NewTask with { MaxRetries = 1 }) },
        { new ScheduleTask(Samples.NewTask), new ScheduleTask(Samples.NewTask with { MaxExpiries = 1 }) },
        { new ScheduleTask(Samples.NewTask), new ScheduleTask(Samples.NewTask with { Priority = 1 }) },
        { new AckTask("task-1", 1), new AckTask("task-1", 2) },
        { new NackTask("task-1", 0, false, 1, "x"), new NackTask("task-1", 1, false, 1, "x") },
        { new NackTask("task-1", 0, false, 1, "x"), new NackTask("task-1", 0, false, 1, "y") },
        { new NackTask("task-1", 0, false, 1, "x"), new NackTask("task-1", 0, true, 1, "x") },
        { new ExtendTaskLease("task-1", 1, 60), new ExtendTaskLease("task-1", 2, 60) },
        { new ExtendTaskLease("task-1", 1, 60), new ExtendTaskLease("task-1", 1, 61) },
        { new CancelTask("task-1", "x"), new CancelTask("task-1", "y") },
    };

    [Theory]
    [MemberData(nameof(Differing))]
    public void Requests_that_say_other_things_have_other_contents(IWrite one, IWrite other) => one.Content.Should().NotBe(other.Content);

    [Fact]
    public void What_dbos_fills_in_is_no_content_of_a_result()
    {
        var filled = Samples.Result with { ReceivedAt = 5, DbosServerId = "dbos-2", IngestSource = "file", Data = Samples.Result.Data.ToArray() };

        new StoreResult(filled).Content.Should().Be(new StoreResult(Samples.Result).Content);
    }

    private static ContentHash Hash(Func<ContentHash.Builder, ContentHash.Builder> add) => add(new ContentHash.Builder()).Build();

    private static Dictionary<string, string> Map(params (string Key, string Value)[] entries) =>
        entries.ToDictionary(entry => entry.Key, entry => entry.Value);
}
