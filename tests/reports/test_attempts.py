"""The attempts of a row with their calls, from events."""

from collections.abc import Callable, Sequence

from runner.foundation.values import Json
from runner.reports.attempts import records
from runner.reports.spans import NO_ANSWER, timed
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    SignedIn,
    StepStarted,
    Trouble,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import LockHolder, PauseReason, SentRequest

Chain = Callable[[Sequence[AnyEvent]], list[Line]]

CALL: dict[str, Json] = {"kind": "execute", "process": "UsrA", "parameters": {"X": 1}, "result": "Y"}
READING: dict[str, Json] = {"kind": "read_rows", "process": "UsrA", "since": None}
NO = Trouble(code="E205", message="no")


def sent(call: dict[str, Json] = CALL, *, t: float = 1.0) -> CallSent:
    return CallSent(key="a", effect="idempotent", call=call, t=t)


def answered(*, t: float = 2.0) -> CallAnswered:
    return CallAnswered(key="a", t=t, value=None, status=200, bytes=5, date="Sat, 31 Jan 2026 09:00:00 GMT")


def failed(kind: str = "refused") -> AttemptFailed:
    return AttemptFailed(key="a", t=2.0, kind=kind, error=NO, status=500, body="Message: no luck", bytes=9)


def attempts(chain: Chain, row: Callable[..., Row], *events: AnyEvent) -> list[dict[str, Json]]:
    (found,) = timed(chain([StepStarted(row=row("a"), t=0.0), *events])).rows
    return [one for one in records(found) if isinstance(one, dict)]


def calls(chain: Chain, row: Callable[..., Row], *events: AnyEvent) -> list[dict[str, Json]]:
    return [call for one in attempts(chain, row, *events) if isinstance(call := one["call"], dict)]


def test_an_attempt_has_its_call_with_everything_that_the_events_hold(chain: Chain, row: Callable[..., Row]) -> None:
    request = SentRequest(method="GET", path="/x", query=(("X", "1"),))
    other = LockHolder(job="b@here", run="r-1")
    events = (
        SignedIn(key="a", t=0.5, seconds=0.2, kind="password"),
        sent(READING),
        answered(),
        Waited(key="a", t=1.0, what=WaitsFor.TURN, name="UsrA", held_by=other),
        Waited(key="a", t=1.0, what=WaitsFor.TURN, seconds=3.5, name="UsrA", held_by=other),
        CallSent(key="a", effect="once", call=CALL, t=1.25, request=request),
        answered(),
    )
    (attempt,) = attempts(chain, row, *events)
    call = attempt.pop("call")
    assert attempt == {"number": 1, "error": None, "calls": 2, "readings": 1}
    assert call == {
        "kind": "execute",
        "process": "UsrA",
        "parameters": {"X": 1},
        "arguments": {"result": "Y"},
        "effect": "once",
        "request": {"method": "GET", "path": "/x", "query": [["X", "1"]], "left_out": 0},
        "at": "2026-01-31T09:00:00.000Z",
        "t": 1.25,
        "seconds": 0.75,
        "ended": "answered",
        "status": 200,
        "bytes": 5,
        "date": "Sat, 31 Jan 2026 09:00:00 GMT",
        "words": None,
        "retry_after": None,
        "sign_ins": [{"kind": "password", "seconds": 0.2}],
        "waits": [{"for": "turn", "seconds": 3.5, "name": "UsrA", "held_by": {"job": "b@here", "run": "r-1"}}],
    }


def test_a_call_that_failed_is_an_attempt_and_the_service_has_its_own_words(
    chain: Chain, row: Callable[..., Row]
) -> None:
    retry = Paused(key="a", t=3.0, seconds=1.0, why=PauseReason.RETRY)
    first, second = attempts(chain, row, sent(), failed(), retry, sent(t=4.0), answered(t=5.0))
    assert (first["number"], second["number"]) == (1, 2)
    assert first["error"] == {"code": "E205", "message": "no", "hint": None}
    assert second["error"] is None
    call = first["call"]
    assert isinstance(call, dict)
    assert (call["ended"], call["status"], call["bytes"], call["words"]) == ("refused", 500, 9, "Message: no luck")


def test_an_answer_that_was_not_expected_ends_an_attempt(chain: Chain, row: Callable[..., Row]) -> None:
    found = attempts(chain, row, sent(), answered(), failed("expectation"), sent(), answered())
    assert [one["error"] is None for one in found] == [False, True]


def test_readings_before_and_after_the_call_belong_to_its_attempt(chain: Chain, row: Callable[..., Row]) -> None:
    events = (sent(READING), failed("unanswered"), sent(READING), answered(), sent(), failed("unanswered"))
    (attempt,) = attempts(chain, row, *events, sent(READING), answered(), sent(READING), answered())
    assert (attempt["calls"], attempt["readings"]) == (5, 4)
    assert isinstance(attempt["call"], dict)
    assert (attempt["call"]["kind"], attempt["call"]["ended"]) == ("execute", "unanswered")


def test_a_person_who_wants_a_call_to_be_repeated_begins_another_attempt(chain: Chain, row: Callable[..., Row]) -> None:
    found = calls(chain, row, sent(), Asked(key="a", t=3.0, value={"as": "retry", "key": "a"}), sent(), answered())
    assert [call["ended"] for call in found] == [None, "answered"]


def test_a_call_whose_answer_was_lost_is_in_what_the_row_did(chain: Chain, row: Callable[..., Row]) -> None:
    verdict = Asked(key="a", t=3.0, value={"as": "retry", "key": "a"})
    events = (StepStarted(row=row("a"), t=0.0), sent(), verdict, sent(READING, t=3.0), sent(t=4.0), answered(t=5.0))
    (found,) = timed(chain(events)).rows
    assert [span.kind for span in found.spans] == ["call", "ask", "log", "call"]
    assert [span.why for span in found.spans] == [NO_ANSWER, "", NO_ANSWER, ""]


def test_a_row_that_only_reads_has_its_last_reading_as_the_call(chain: Chain, row: Callable[..., Row]) -> None:
    (call,) = calls(chain, row, sent(READING, t=1.0), answered(), sent(READING, t=2.0), answered())
    assert (call["kind"], call["t"]) == ("read_rows", 2.0)


def test_a_row_that_began_anew_has_the_calls_since_then(chain: Chain, row: Callable[..., Row]) -> None:
    again = StepStarted(row=row("a"), t=5.0)
    assert len(attempts(chain, row, sent(), failed(), again, sent(), answered())) == 1


def test_a_call_has_null_for_what_is_not_known(chain: Chain, row: Callable[..., Row]) -> None:
    old = CallSent(t=0, key="a", effect="once", call=CALL)
    (call,) = calls(chain, row, old, CallAnswered(key="a", t=1.0, value=None))
    unknown = {name: call[name] for name in ("request", "status", "bytes", "date")}
    assert set(unknown.values()) == {None}
    assert call["ended"] == "answered"
