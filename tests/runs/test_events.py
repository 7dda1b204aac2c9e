import pytest
from msgspec.structs import replace

from runner.runs.events import (
    AttemptFailed,
    CallSent,
    StepFinished,
    StepStarted,
    Trouble,
    UndoFinished,
    decode,
    encode,
    stopped,
    time_of,
)
from runner.runs.evidence import Unverified
from runner.runs.facts import facts
from runner.runs.status import Status


def test_the_signal_that_stopped_a_run_has_a_field_of_its_own() -> None:
    event = stopped("SIGTERM", key="", t=1.0, final=True)
    assert decode(encode(event)) == event
    assert event.signal == event.stopped_by == "SIGTERM"


OLD_LINES = (
    (
        b'{"type":"step.started","row":{"key":"a","id":null,"name":"A","kind":"execute","section":"steps","index":null,'
        b'"line":3,"help":null},"t":1.0}'
    ),
    b'{"type":"call.sent","key":"a","effect":"once","call":{"kind":"execute"},"watermark":null}',
    b'{"type":"call.answered","key":"a","t":1.0,"value":7,"date":null}',
    b'{"type":"paused","key":"a","t":1.0,"seconds":2.0}',
    b'{"type":"waited","key":"a","t":1.0,"what":"turn","seconds":2.5}',
    b'{"type":"asked","key":"a","t":1.0,"value":true}',
    (
        b'{"type":"step.finished","key":"a","t":1.0,"status":"passed","seconds":1.0,"attempts":1,"flaky":false,'
        b'"verified":null,"process_id":null,"result":null,"outputs":{},"checks":[],"warnings":[],"reason":null,'
        b'"error":null}'
    ),
)


@pytest.mark.parametrize("line", OLD_LINES)
def test_an_event_of_an_earlier_version_is_written_again_as_it_was(line: bytes) -> None:
    assert encode(decode(line)) == line


def test_evidence_is_no_fact_by_which_a_run_is_resumed() -> None:
    old = decode(OLD_LINES[0])
    assert isinstance(old, StepStarted)
    row = replace(old.row, effect="once", on_failure="stop", condition="x", process="UsrA", max_attempts=3)
    assert facts(replace(old, row=row)) == facts(old)
    assert facts(replace(old, row=replace(row, kind="run"))) != facts(old)
    ended = decode(OLD_LINES[-1])
    assert isinstance(ended, StepFinished)
    assert facts(replace(ended, unverified=Unverified.OFF)) == facts(ended)
    assert facts(replace(ended, verified=True)) != facts(ended)


def test_a_call_that_was_sent_tells_its_time_and_of_an_earlier_version_none() -> None:
    old = decode(OLD_LINES[1])
    assert isinstance(old, CallSent)
    assert (time_of(old), time_of(replace(old, t=2.5))) == (0.0, 2.5)


def test_a_journal_of_a_version_that_called_undo_complete_and_a_known_call_uncertain_has_the_same_facts() -> None:
    ended = StepFinished(key="a", t=1.0, status=Status.UNKNOWN, seconds=1.0, attempts=1)
    doubt = AttemptFailed(key="a", t=1.0, kind="in_doubt", error=Trouble(code="E402", message="known"))
    before = Trouble(code="E403", message="it may be")
    undone = UndoFinished(t=1.0, undo="incomplete")
    for now, then in (
        (undone, replace(undone, undo="complete")),
        (doubt, replace(doubt, error=before)),
        (replace(ended, error=doubt.error), replace(ended, error=before)),
        (replace(ended, status=Status.PASSED, running=True), replace(ended, status=Status.PASSED)),
    ):
        assert facts(now) == facts(then)
    assert facts(replace(ended, error=before)) != facts(replace(ended, error=None))
