using Dbos.Domain.Answers;

namespace Dbos.Domain.Tests.Answers;

public sealed class AnswerTests
{
    private static readonly Refusal NotKnown = new(RefusalCode.NotFound, "agent 'a' is not known");

    [Fact]
    public void A_value_is_an_answer_that_is_not_refused()
    {
        Answer<int> answer = 7;

        answer.IsRefused.Should().BeFalse();
        answer.Refusal.Should().BeNull();
        answer.Value.Should().Be(7);
    }

    [Fact]
    public void A_refusal_is_an_answer_without_a_value()
    {
        Answer<int> answer = NotKnown;

        answer.IsRefused.Should().BeTrue();
        answer.Refusal.Should().BeSameAs(NotKnown);
        answer.Invoking(refused => refused.Value).Should().Throw<InvalidOperationException>().WithMessage("*agent 'a' is not known*");
    }

    [Fact]
    public void A_step_that_does_not_know_the_value_can_refuse() => Refuse<Answer<string>>().Refusal.Should().BeSameAs(NotKnown);

    [Theory]
    [InlineData(RefusalCode.Validation, 1)]
    [InlineData(RefusalCode.NotFound, 2)]
    [InlineData(RefusalCode.InvalidTransition, 3)]
    [InlineData(RefusalCode.VersionConflict, 4)]
    [InlineData(RefusalCode.LeaseLost, 5)]
    [InlineData(RefusalCode.OwnerMismatch, 6)]
    [InlineData(RefusalCode.IdempotencyKeyReused, 7)]
    public void A_codes_number_is_the_one_on_the_wire(RefusalCode code, int number) => ((int)code).Should().Be(number);

    [Fact]
    public void A_replay_stays_where_it_is_and_tells_nothing()
    {
        var replay = Decision.Replay("as it was");

        replay.Should().BeEquivalentTo(new { Next = "as it was", IsReplay = true });
        replay.Events.Should().BeEmpty();
    }

    private static TAnswer Refuse<TAnswer>()
        where TAnswer : IAnswer<TAnswer> => TAnswer.Refused(NotKnown);
}
