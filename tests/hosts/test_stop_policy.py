"""What a stopped run may still perform: what settles a call that may have happened, then `undo` and `finally`."""

import pytest

from runner.engine.effects import Ask, Done, Effect, Failed, Note, Outcome, ResolveDoubt, Send, Sleep
from runner.hosts.stop import Stop
from runner.hosts.stop_policy import StopPolicy
from runner.job.model import StepEffect
from runner.runs.events import RunClosing, RunFinished, RunStatus, StepFinished, Trouble
from runner.runs.status import Status
from runner.service.calls import CallFailed, ExecuteCall, FailureKind, ReadRows

READING = Send(key="a", call=ReadRows(process="UsrA"), effect=StepEffect.READ, seconds=1.0)
ONCE = Send(key="a", call=ExecuteCall(process="UsrA", parameters={}), effect=StepEffect.ONCE, seconds=1.0)
PAUSE, QUESTION = Sleep(key="a", seconds=1.0), Ask(key="a", text="?")
EFFECTS = (READING, ONCE, PAUSE, QUESTION)
ANSWERED = Done(t=1.0)


def failed(kind: FailureKind, *, unproved: bool = False) -> Failed:
    trouble = Trouble(code="E305", message="no")
    return Failed(t=1.0, failure=CallFailed(kind=kind, trouble=trouble, unproved=unproved))


def stopped(*learnt: tuple[Effect, Outcome | None], grace: float = 30.0) -> StopPolicy:
    policy = StopPolicy(stop=Stop(grace=grace, clock=lambda: 0.0))
    for effect, outcome in learnt:
        policy.learn(effect, outcome)
    policy.stop.request("SIGTERM")
    return policy


def allowed(policy: StopPolicy) -> list[Effect]:
    return [effect for effect in EFFECTS if policy.allows(effect)]


def test_all_is_allowed_until_the_stop_comes_and_nothing_afterwards() -> None:
    assert allowed(StopPolicy(stop=Stop(grace=30.0))) == [*EFFECTS]
    assert allowed(stopped()) == []


@pytest.mark.parametrize(
    ("outcome", "is_doubtful"),
    [
        (ANSWERED, True),
        (failed(FailureKind.UNANSWERED), True),
        (failed(FailureKind.TURNED_AWAY), True),
        (failed(FailureKind.REFUSED, unproved=True), True),
        (failed(FailureKind.REFUSED), False),
        (failed(FailureKind.NOT_SENT), False),
    ],
)
def test_only_a_call_that_may_have_happened_is_looked_for(outcome: Outcome, *, is_doubtful: bool) -> None:
    policy = stopped((ONCE, outcome))
    assert allowed(policy) == [READING] * is_doubtful
    assert policy.settles(PAUSE) is is_doubtful
    assert not policy.settles(ONCE)
    other = Send(key="b", call=READING.call, effect=StepEffect.READ, seconds=1.0)
    assert not policy.allows(other), "of another row"


def test_a_row_that_has_ended_is_looked_for_no_more_unless_its_doubt_is_to_be_settled() -> None:
    ended = Note(event=StepFinished(key="a", t=2.0, status=Status.UNKNOWN, seconds=1.0, attempts=1))
    doubt = ResolveDoubt(keys=("a",), ended=True)
    assert allowed(stopped((ONCE, ANSWERED), (ended, None))) == []
    assert allowed(stopped((ONCE, ANSWERED), (ended, None), (doubt, None))) == [READING]


def test_undo_and_finally_have_the_grace_and_what_is_settled_after_the_end_does_not() -> None:
    closing = Note(event=RunClosing(t=2.0, why="SIGTERM"))
    finished = Note(event=RunFinished(t=3.0, status=RunStatus.UNKNOWN, exit_code=4, outputs={}, undo="none"))
    assert allowed(stopped((closing, None))) == [*EFFECTS]
    assert allowed(stopped((closing, None), grace=0.0)) == []
    assert allowed(stopped((closing, None), (finished, None))) == []
    policy = stopped()
    policy.is_announced = True
    assert allowed(policy) == [*EFFECTS], "the engine knows of the stop, and goes to undo and finally"
    policy.learn(finished, None)
    assert allowed(policy) == []
