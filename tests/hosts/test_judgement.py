"""What is said of rows in doubt: by a person, by another look at the log, or by nobody for now."""

import pytest

from runner.engine.effects import ResolveDoubt
from runner.foundation.values import JsonObject
from runner.hosts.judgement import Judgement, Judging


def judge(*keys: str, ended: bool = False) -> ResolveDoubt:
    return ResolveDoubt(keys=keys, ended=ended)


def said(*keys: str, how: str = "passed") -> dict[str, JsonObject]:
    return {key: {"as": how} for key in keys}


def test_where_nothing_is_said_a_run_goes_on_without_knowing() -> None:
    assert Judging(Judgement()).answer(judge("a")) == {"as": "unknown"}


def test_where_nothing_is_said_a_run_that_has_ended_is_left_as_it_is() -> None:
    assert Judging(Judgement()).answer(judge("a", ended=True)) is None


@pytest.mark.parametrize("judgement", [Judgement(hold=True), Judgement(only_settle=True)], ids=["held", "reconciled"])
def test_a_run_that_waits_for_a_person_is_left_before_its_turning_point(judgement: Judgement) -> None:
    assert Judging(judgement).answer(judge("a")) is None


@pytest.mark.parametrize("how", ["passed", "failed", "retry"])
@pytest.mark.parametrize("hold", [False, True])
def test_a_verdict_is_given_with_its_key_and_once(how: str, *, hold: bool) -> None:
    judging = Judging(Judgement(verdicts=said("a", how=how), hold=hold))
    assert judging.answer(judge("a")) == {"as": how, "key": "a"}
    assert judging.answer(judge("a")) == (None if hold else {"as": "unknown"})


def test_a_verdict_keeps_the_result_that_was_handed_in() -> None:
    judging = Judging(Judgement(verdicts={"a": {"as": "passed", "result": {"Score": 12}}}))
    assert judging.answer(judge("a")) == {"as": "passed", "result": {"Score": 12}, "key": "a"}


@pytest.mark.parametrize("how", ["passed", "failed"])
def test_a_verdict_is_possible_after_the_run_has_ended(how: str) -> None:
    judging = Judging(Judgement(verdicts=said("a", how=how)))
    assert judging.answer(judge("a", ended=True)) == {"as": how, "key": "a"}


def test_nothing_of_a_run_that_has_ended_is_repeated() -> None:
    judging = Judging(Judgement(verdicts=said("a", how="retry")))
    assert judging.answer(judge("a", ended=True)) is None
    assert judging.unused == ("a",)


def test_a_verdict_on_another_row_answers_nothing_and_stays_unused() -> None:
    judging = Judging(Judgement(verdicts=said("b", "c")))
    assert judging.answer(judge("a")) == {"as": "unknown"}
    assert judging.answer(judge("a", "b", ended=True)) == {"as": "passed", "key": "b"}
    assert judging.unused == ("c",)


def test_several_rows_are_settled_one_after_the_other() -> None:
    judging = Judging(Judgement(verdicts=said("a", "b")))
    assert judging.answer(judge("a", "b", ended=True)) == {"as": "passed", "key": "a"}
    assert judging.answer(judge("b", ended=True)) == {"as": "passed", "key": "b"}
    assert judging.answer(judge("b", ended=True)) is None


def test_the_log_is_asked_once_more_and_then_no_more() -> None:
    judging = Judging(Judgement(look_again=True))
    assert judging.answer(judge("a")) == {"as": "log"}
    assert judging.answer(judge("a")) == {"as": "unknown"}


def test_the_log_is_asked_as_long_as_one_of_several_rows_was_not_searched_for() -> None:
    judging = Judging(Judgement(look_again=True))
    assert judging.answer(judge("a")) == {"as": "log"}
    assert judging.answer(judge("a", "b", ended=True)) == {"as": "log"}
    assert judging.answer(judge("a", "b", ended=True)) is None


def test_a_persons_word_comes_before_the_log() -> None:
    judging = Judging(Judgement(verdicts=said("a"), look_again=True))
    assert judging.answer(judge("a")) == {"as": "passed", "key": "a"}


def test_a_repeated_call_that_is_in_doubt_again_is_not_repeated_again() -> None:
    judging = Judging(Judgement(verdicts=said("a", how="retry"), look_again=True))
    assert [judging.answer(judge("a")) for _ in range(3)] == [
        {"as": "retry", "key": "a"},
        {"as": "log"},
        {"as": "unknown"},
    ]


def test_a_person_of_whom_no_verdict_was_asked_may_give_one() -> None:
    judging = Judging(Judgement(verdicts=said("a", "b")))
    judging.answer(judge("b"))
    assert judging.unused == ("a",)


def test_what_was_handed_in_is_not_changed() -> None:
    verdicts = said("a")
    Judging(Judgement(verdicts=verdicts)).answer(judge("a"))
    assert verdicts == said("a")
