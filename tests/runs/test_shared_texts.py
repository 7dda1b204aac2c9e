from pathlib import Path

import pytest
from journals import new_journal, read

from runner.runs.events import AnyEvent, CallAnswered, CallSent, Check, Row, Section, StepFinished, StepStarted
from runner.runs.evidence import SentRequest
from runner.runs.status import Status


def _row(number: int) -> list[AnyEvent]:
    key = f"a[{number}]"
    row = Row(key=key, id="a", name="Do it", kind="execute", section=Section.STEPS, index=number, line=3)
    request = SentRequest(method="GET", path="/0/UsrA", query=(("Name", "x"), ("After", str(number))))
    checks = (Check(that="x", passed=True), Check(that="x", passed=False, message="no"), Check(that="x", passed=True))
    return [
        StepStarted(row=row, t=1.0),
        CallSent(
            t=0.0, key=key, effect="once", call={"kind": "execute", "process": "UsrA", "number": 1}, request=request
        ),
        CallAnswered(key=key, t=2.0, value=["Do it", True, 1, 1.0], date="Sat, 31 Jan 2026 09:00:00 GMT"),
        StepFinished(key=key, t=2.0, status=Status.FAILED, seconds=1.0, attempts=1, checks=checks),
    ]


def test_what_repeats_from_line_to_line_of_a_long_journal_is_in_memory_once_and_says_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.runs.journal._FEW", 0)
    written = [event for number in range(2) for event in _row(number)]
    journal = new_journal(tmp_path / "run")
    for event in written:
        journal.append(event)
    lines = read(tmp_path / "run").lines
    assert [line.event for line in lines] == written
    started, sent, answered, finished, other, sent_again, answered_again, finished_again = (one.event for one in lines)
    assert isinstance(started, StepStarted)
    assert isinstance(other, StepStarted)
    assert started.row.key is sent.key is answered.key is finished.key  # type: ignore[union-attr]
    assert started.row.name is other.row.name
    assert sent.request.path is sent_again.request.path  # type: ignore[union-attr]
    assert answered.date is answered_again.date  # type: ignore[union-attr]
    assert finished.checks[0] is finished.checks[2] is finished_again.checks[0]  # type: ignore[union-attr]
    assert lines[0].at is lines[7].at
