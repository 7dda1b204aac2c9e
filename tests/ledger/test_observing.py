"""What a run has sent, as its events say: a version of which nothing left begins again by itself."""

import pytest

from runner.ledger.observing import no_call_left
from runner.runs.events import AnyEvent, AttemptFailed, CallAnswered, CallSent, Line, Trouble

NOT_SENT, TURNED_AWAY = "not_sent", "turned_away"


def sent(effect: str, key: str = "a") -> AnyEvent:
    return CallSent(key=key, t=0.0, effect=effect, call={})


def failed(kind: str) -> AnyEvent:
    return AttemptFailed(key="a", t=0.0, kind=kind, error=Trouble(code="E301", message="no"))


ANSWERED: AnyEvent = CallAnswered(key="a", t=0.0, value=[])


@pytest.mark.parametrize(
    ("events", "nothing_left"),
    [
        ([], False),
        ([sent("once"), failed(NOT_SENT)], True),
        ([sent("once"), failed(NOT_SENT), sent("once"), failed(NOT_SENT)], True),
        ([sent("read"), ANSWERED, sent("once"), failed(NOT_SENT)], True),
        ([sent("read"), failed("unanswered")], True),
        ([sent("once"), failed(TURNED_AWAY)], False),
        ([sent("once"), failed(TURNED_AWAY), sent("read"), failed(NOT_SENT)], False),
        ([sent("once"), failed(TURNED_AWAY), sent("once"), failed(NOT_SENT)], False),
        ([sent("once"), ANSWERED, sent("once", "b")], False),
        ([sent("once")], False),
    ],
)
def test_only_a_call_that_is_no_reading_counts_as_carried_out(events: list[AnyEvent], *, nothing_left: bool) -> None:
    lines = [Line(seq=n, at="", prev="", event=event, sha256="") for n, event in enumerate(events)]
    assert no_call_left(lines) is nothing_left
