"""Journals to draw reports from: one story written by hand, and any plausible one that hypothesis makes up."""

import hashlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import strategies as st

from runner.runs.events import (
    FIRST_PREV,
    VERSION,
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Check,
    Line,
    LogUnreadable,
    Paused,
    Row,
    RunClosing,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
    Waited,
    WaitsFor,
    encode,
)
from runner.runs.evidence import Unverified
from runner.runs.status import Status

Journal = list[AnyEvent]

EXIT_CODES = {
    RunStatus.PASSED: 0,
    RunStatus.FAILED: 1,
    RunStatus.ERROR: 3,
    RunStatus.UNKNOWN: 4,
    RunStatus.CANCELLED: 130,
}
HARD_TEXTS = (
    "::error::x",
    "\n::warning::x",
    "##vso[task.complete]",
    "a ##[add-mask]b",
    "\x1b[31mred\x07",
    "\u202eright to left",
    "\ue000[inputs.token]",
    "\ue000\ue000[not a hole]",
    "\ufffe\x00]]>&<",
    "two\r\nlines",
    "宽的",
)


def text() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(HARD_TEXTS),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    )


def in_a_chain(events: Sequence[AnyEvent]) -> list[Line]:
    lines: list[Line] = []
    prev = FIRST_PREV
    for seq, event in enumerate(events, start=1):
        at = "2026-01-31T09:00:00.000Z"
        before = b'{"v":%d,"seq":%d,"at":"%s",' % (VERSION, seq, at.encode())
        written = before + encode(event)[1:-1] + b',"prev":"%s"}' % prev.encode()
        digest = hashlib.sha256(written).hexdigest()
        lines.append(Line(seq=seq, at=at, prev=prev, event=event, sha256=digest))
        prev = digest
    return lines


def a_start(**changed: object) -> RunStarted:
    fields = {
        "run": "0194d2a0-0000-7000-8000-000000000001",
        "engine": "0.1.0",
        "replay": 1,
        "job": "contact-smoke",
        "file": "specs/contact-smoke.job.yaml",
        "case": None,
        "target": TargetName(name="sandbox", url="http://127.0.0.1:8080", sandbox=True),
        "inputs": {"phone": "+1 617"},
        "digest": "sha256:" + "a" * 64,
        "commit": "0123456789012345678901234567890123456789",
        "started_at": "2026-01-31T09:00:00.000Z",
        "help": None,
    }
    return RunStarted(**(fields | changed))  # type: ignore[arg-type]  # fields by name, for brevity in tests


def a_row(key: str, *, name: str | None = None, section: Section = Section.STEPS, help_text: str | None = None) -> Row:
    id_ = key.rpartition("/")[2].partition("[")[0]
    return Row(
        key=key, id=id_, name=name or f"Do {key}", kind="execute", section=section, index=None, line=7, help=help_text
    )


@st.composite
def _step(draw: st.DrawFn, key: str, section: Section) -> tuple[Journal, Status]:
    """One step as the engine tells it: attempts, readings of the log, an end."""
    row = a_row(key, name=draw(text()) or key, section=section, help_text=draw(st.none() | text()))
    if draw(st.integers(0, 4)) == 0:
        return [StepSkipped(row=row, reason=draw(st.sampled_from(["condition", "stopped"])))], Status.SKIPPED
    effect = draw(st.sampled_from(["once", "idempotent", "read"]))
    events: Journal = [StepStarted(row=row, t=0.1)]
    error = Trouble(code="E305", message=draw(text()), hint=draw(st.none() | text()))
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["not_sent", "refused", "expectation"]))
        events += [
            CallSent(t=0.1, key=key, effect=effect, call={"process": draw(text())}),
            AttemptFailed(key=key, t=0.2, kind=kind, error=error),
            Paused(key=key, t=0.3, seconds=0.1),
        ]
    if draw(st.booleans()):
        events.append(
            Waited(key=key, t=0.3, what=draw(st.sampled_from(WaitsFor)), seconds=draw(st.none() | st.just(2.5)))
        )
    events.append(CallSent(t=0.3, key=key, effect=effect, call={}))
    status = draw(st.sampled_from([Status.PASSED, Status.PASSED, Status.FAILED, Status.ERROR, Status.UNKNOWN]))
    if status in {Status.ERROR, Status.UNKNOWN}:
        events.append(AttemptFailed(key=key, t=0.4, kind="unanswered", error=error))
    else:
        events.append(CallAnswered(key=key, t=0.4, value=draw(text())))
    if draw(st.booleans()):
        events += [CallSent(t=0.4, key=key, effect="read", call={}), CallAnswered(key=key, t=0.5, value=[])]
    passed = status is Status.PASSED
    events.append(
        StepFinished(
            key=key,
            t=0.6,
            status=status,
            seconds=0.5,
            attempts=draw(st.integers(1, 3)),
            verified=draw(st.sampled_from([True, None, "inferred"])),
            unverified=draw(st.sampled_from([None, *Unverified])),
            running=draw(st.booleans()),
            process_id=draw(st.none() | text()),
            result=draw(text()),
            outputs={draw(text()): draw(text())},
            checks=(Check(that=draw(text()), passed=passed, message=None if passed else draw(st.none() | text())),),
            warnings=tuple(draw(st.lists(text(), max_size=2))),
            error=None if passed else error,
        )
    )
    return events, status


@st.composite
def _journal(draw: st.DrawFn) -> Journal:
    start = a_start(
        job=draw(text()) or "job",
        case=draw(st.none() | text()),
        file=draw(text()),
        inputs={"x": draw(text())},
        help=draw(st.none() | text()),
        target=TargetName(name=draw(text()), url=draw(text()), sandbox=draw(st.booleans())),
    )
    events: Journal = [start]
    statuses: set[Status] = set()
    for section, count in ((Section.STEPS, draw(st.integers(1, 3))), (Section.FINALLY, draw(st.integers(0, 2)))):
        for number in range(count):
            drawn, status = draw(_step(f"{section}{number}", section))
            events += drawn
            statuses.add(status)
        if section is Section.STEPS:
            events.append(RunClosing(t=0.7, why="done"))
    if draw(st.booleans()):
        events.insert(2, LogUnreadable(error=Trouble(code="E205", message=draw(text()))))
    order = (Status.UNKNOWN, Status.ERROR, Status.FAILED)
    ended = next((RunStatus(found) for found in order if found in statuses), RunStatus.PASSED)
    error = draw(st.none() | st.builds(Trouble, code=st.just("E312"), message=text()))
    events.append(
        RunFinished(t=0.8, status=ended, exit_code=EXIT_CODES[ended], outputs={"id": draw(text())}, error=error)
    )
    return events


@pytest.fixture(scope="session")
def chain() -> Callable[[Sequence[AnyEvent]], list[Line]]:
    """Puts events into the lines of a journal."""
    return in_a_chain


@pytest.fixture(scope="session")
def start() -> Callable[..., RunStarted]:
    return a_start


@pytest.fixture(scope="session")
def row() -> Callable[..., Row]:
    return a_row


@pytest.fixture(scope="session")
def journals() -> st.SearchStrategy[Journal]:
    """Any plausible journal that ended, with texts that are hard to print."""
    return _journal()


@pytest.fixture(scope="session")
def texts() -> st.SearchStrategy[str]:
    """Any text, hard ones often."""
    return text()


@pytest.fixture(scope="session")
def story() -> Journal:
    """A run that shows one row of each status, and a secret."""
    secret = "\ue000[inputs.token]"
    return [
        a_start(inputs={"token": secret, "limit": 10}, help="Ask the integration team."),
        StepStarted(row=a_row("add", name="Add a contact"), t=0.0),
        CallSent(t=0, key="add", effect="once", call={"process": "UsrAdd", "parameters": {"Token": secret}}),
        CallAnswered(key="add", t=0.02, value=None),
        StepFinished(
            key="add",
            t=0.021,
            status=Status.PASSED,
            seconds=0.021,
            attempts=1,
            warnings=("not verified: the process log cannot be read",),
            unverified=Unverified.UNREADABLE,
            outputs={"token": secret},
        ),
        StepStarted(row=a_row("read", name="Read it back", help_text="The user needs a right."), t=0.021),
        CallSent(t=0.021, key="read", effect="read", call={"process": "UsrGet"}),
        CallAnswered(key="read", t=0.05, value=[]),
        StepFinished(
            key="read",
            t=1.25,
            status=Status.FAILED,
            seconds=1.2,
            attempts=5,
            process_id="7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
            result=[],
            checks=(
                Check(that="result != null", passed=True),
                Check(that="result | length > 0", passed=False, message="`result | length > 0` is false"),
            ),
            error=Trouble(code="E201", message="an expectation is not met", hint="look at the list"),
        ),
        StepSkipped(row=a_row("onboard", name="Onboard"), reason="stopped"),
        RunClosing(t=1.25, why="stopped"),
        StepStarted(row=a_row("sign", section=Section.FINALLY, name="Sign off"), t=1.25),
        CallSent(t=1.25, key="sign", effect="idempotent", call={}),
        AttemptFailed(key="sign", t=1.3, kind="unanswered", error=Trouble(code="E305", message="no answer in 1.0 s")),
        StepFinished(
            key="sign",
            t=1.3,
            status=Status.ERROR,
            seconds=0.05,
            attempts=1,
            error=Trouble(code="E305", message="no answer in 1.0 s"),
        ),
        StepStarted(row=a_row("cleanup", section=Section.FINALLY, name="Delete it"), t=1.3),
        CallSent(t=1.3, key="cleanup", effect="once", call={}),
        AttemptFailed(key="cleanup", t=1.4, kind="unanswered", error=Trouble(code="E306", message="cut off")),
        StepFinished(
            key="cleanup",
            t=1.4,
            status=Status.UNKNOWN,
            seconds=0.1,
            attempts=1,
            error=Trouble(code="E401", message="it may or may not have happened: cut off"),
        ),
        RunFinished(t=1.532, status=RunStatus.UNKNOWN, exit_code=4, outputs={"contact": "c-1"}),
    ]
