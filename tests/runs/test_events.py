from msgspec.structs import replace

from runner.runs.events import (
    AttemptFailed,
    Row,
    Section,
    StepFinished,
    StepStarted,
    Trouble,
    UndoFinished,
    decode,
    encode,
    stopped,
)
from runner.runs.evidence import Unverified
from runner.runs.facts import facts
from runner.runs.status import Status


def test_the_signal_that_stopped_a_run_has_a_field_of_its_own() -> None:
    event = stopped("SIGTERM", key="", t=1.0, final=True)
    assert decode(encode(event)) == event
    assert event.stopped_by == "SIGTERM"


STARTED = StepStarted(
    row=Row(key="a", id=None, name="A", kind="execute", section=Section.STEPS, index=None, line=3), t=1.0
)
ENDED = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)


def test_a_line_holds_no_field_that_has_its_default_and_is_read_back_as_it_was() -> None:
    assert encode(ENDED) == (b'{"type":"step.finished","key":"a","t":1.0,"status":"passed","seconds":1.0,"attempts":1}')
    assert decode(encode(ENDED)) == ENDED


def test_evidence_is_no_fact_by_which_a_run_is_resumed() -> None:
    old = STARTED
    row = replace(
        old.row, effect="x", on_failure="x", condition="x", process="x", max_attempts=3, help="h", needs_result=True
    )
    assert facts(replace(old, row=row)) == facts(old)
    assert facts(replace(old, row=replace(row, kind="run"))) != facts(old)
    assert facts(replace(ENDED, unverified=Unverified.OFF)) == facts(ENDED)
    assert facts(replace(ENDED, verified=True)) != facts(ENDED)


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
