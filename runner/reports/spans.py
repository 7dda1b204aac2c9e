"""When what happened in a run: its rows with their spans on a time axis, from the lines of its journal alone."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.server_time import parse_record
from runner.foundation.values import Json, JsonObject
from runner.reports.reported import ReportedRun
from runner.reports.safe import moment
from runner.reports.words import run_title
from runner.runs.events import (
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    RunStarted,
    Section,
    SignedIn,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
    Waited,
    lock_waits,
    run_started,
    time_of,
)
from runner.runs.evidence import CiRun, SentRequest, SiteAccess, Unverified, VerdictBy
from runner.runs.result import RunResult, StepResult, fold
from runner.runs.status import Status

READINGS: Final = frozenset(
    {
        *("read_rows", "read_row", "read_elements", "read_element_data", "read_schema"),
        *("find_process", "find_family", "find_hidden_family", "read_family", "who_am_i", "who_is_user"),
    }
)
"""Kinds of calls that ask the process log, or what it takes to read it."""
NO_ANSWER: Final = "no answer is known"
_CALL_FAILURES: Final = frozenset({"not_sent", "turned_away", "refused", "unanswered"})
"""How a call may fail; an attempt also ends where an expectation is not met."""
_MOSTLY: Final = SiteAccess(auth="password", identity_url=None, headers=())


class SpanKind(StrEnum):
    """`FAILURE`: an attempt ended badly; it takes no time of its own."""

    CALL = "call"
    LOG = "log"
    WAIT = "wait"
    ASK = "ask"
    SIGN_IN = "sign-in"
    FAILURE = "failure"


class Sureness(StrEnum):
    """What a status rests on. `STARTED`: the log shows its process; `CONTRADICTED`: the log says it failed."""

    VERIFIED = "verified"
    STARTED = "started"
    INFERRED = "inferred"
    PERSON = "person"
    UNVERIFIED = "not verified"
    CONTRADICTED = "contradicted"
    NO_LOG = ""


class RowSpan(Struct, frozen=True, kw_only=True):
    """What a row did."""

    kind: SpanKind
    start: float
    seconds: float
    call: JsonObject = field(default_factory=dict)
    effect: str = ""
    is_ok: bool = True
    value: Json = None  # the answer
    trouble: Trouble | None = None
    why: str = ""  # it failed, or what was waited for
    status: int | None = None
    size: int | None = None
    body: str | None = None  # the start of the answer to a failed call
    request: SentRequest | None = None
    at: str = ""  # when the call was sent, by the journal
    date: str | None = None  # the server's own time
    retry_after: float | None = None
    waited: SignedIn | Waited | None = None  # what took the time before a call
    given_by: VerdictBy | None = None  # who answered a question
    is_unproved: bool = False  # the refusal does not prove that nothing began

    @property
    def end(self) -> float:
        return self.start + self.seconds


class TimedRow(Struct, frozen=True, kw_only=True):
    step: StepResult
    start: float
    end: float
    spans: tuple[RowSpan, ...]
    begun: int = 0  # so many of them were before it began anew
    judged_by: str | None = None  # `passed` or `failed` where that is the verdict of a person

    @property
    def sureness(self) -> Sureness:
        step = self.step
        if step.verified is True:
            return Sureness.STARTED if step.running else Sureness.VERIFIED
        if step.verified == "inferred":
            return Sureness.INFERRED
        if step.verified is False:
            return Sureness.CONTRADICTED
        if self.judged_by == step.status:
            return Sureness.PERSON
        is_unproved = step.status is Status.PASSED and step.unverified is not Unverified.NOTHING
        return Sureness.UNVERIFIED if is_unproved else Sureness.NO_LOG


class TimedRun(Struct, frozen=True, kw_only=True):
    """A run with the times of its rows, in the order in which they began."""

    number: int  # identifies it in a report
    title: str  # with the moment of its begin, if runs share the name
    result: RunResult
    rows: tuple[TimedRow, ...]
    seconds: float
    started: RunStarted | None = None  # the first event, if it is not lost
    waits: tuple[Waited, ...] = ()  # for locks

    @property
    def access(self) -> SiteAccess:
        """How calls got into the site; most sign in with a password, where the run does not say."""
        return (self.started.access if self.started is not None else None) or _MOSTLY

    @property
    def ci(self) -> CiRun | None:
        return self.started.ci if self.started is not None else None

    @property
    def tags(self) -> tuple[str, ...]:
        """Those of the job; none where they are not known."""
        return self.started.tags if self.started is not None else ()


class TurnGroup(Struct, frozen=True, kw_only=True):
    """The turns of a step, `name[0]`, `name[1]`, …, where no row holds them."""

    name: str
    turns: tuple["RowNode", ...]

    @property
    def section(self) -> Section:
        return self.turns[0].section


class RowNode(Struct, frozen=True, kw_only=True):
    row: TimedRow
    parts: tuple["SpanNode", ...]

    @property
    def section(self) -> Section:
        return self.row.step.section


SpanNode: TypeAlias = RowNode | TurnGroup


def timed(lines: Sequence[Line], *, number: int = 1, result: RunResult | None = None) -> TimedRun:
    """The rows of a journal, whole or broken off anywhere. `result` is what it folds to, where that is known."""
    reader = _Reader()
    for line in lines:
        reader.take(line)
    known = result if result is not None else fold(lines)
    steps = {step.key: step for step in known.steps}
    rows = tuple(_row(steps[key], slot, reader.t) for key, slot in reader.slots.items() if key in steps)
    seconds = max((known.seconds, *(row.end for row in rows)), default=0.0)
    started, waits = run_started(lines), lock_waits(lines)
    return TimedRun(
        number=number,
        title=run_title(known),
        result=known,
        rows=rows,
        seconds=seconds,
        started=started,
        waits=waits,
    )


def timed_runs(runs: Iterable[ReportedRun]) -> list[TimedRun]:
    found = [timed(run.lines, number=number, result=run.result) for number, run in enumerate(runs, 1)]
    times = Counter(run.title for run in found)
    alike = (replace(run, title=f"{run.title}, {moment(run.result.started_at)}") for run in found)
    return [run if times[run.title] == 1 else named for run, named in zip(found, alike, strict=True)]


def tree(rows: Iterable[TimedRow]) -> tuple[SpanNode, ...]:
    """Rows within the rows that they are parts of: `chain[0]` in `chain`, `add[0]/add` in `add[0]`."""
    by_key = {row.step.key: row for row in rows}
    parts: dict[str, list[TimedRow]] = {}
    for key, row in by_key.items():
        parts.setdefault(_whole(key, by_key), []).append(row)

    def nodes(key: str) -> tuple[SpanNode, ...]:
        return _grouped([RowNode(row=row, parts=nodes(row.step.key)) for row in parts.get(key, ())])

    return nodes("")


class _Slot(Struct, kw_only=True):
    """A row while its journal is read. `sent` is its open call, and `at` when that was sent."""

    start: float
    spans: list[RowSpan] = field(default_factory=list)
    begun: int = 0
    sent: CallSent | None = None
    at: str = ""
    judged_by: str | None = None


_Ending: TypeAlias = CallAnswered | AttemptFailed | Paused | SignedIn | Waited | Asked


class _Reader:
    def __init__(self) -> None:
        self.slots: dict[str, _Slot] = {}
        self.t = 0.0

    def take(self, line: Line) -> None:
        event = line.event
        match event:
            case CallSent():  # the most frequent first
                slot = self._slot(event.key.partition(",")[0])
                _give_up(slot, event.t)
                slot.sent, slot.at = event, line.at
            case StepStarted(row=row):
                slot = self.slots.setdefault(row.key, _Slot(start=event.t))
                _give_up(slot, event.t)
                slot.begun = len(slot.spans)
            case StepFinished():
                self._slot(event.key)
            case CallAnswered() | AttemptFailed() | Paused() | SignedIn() | Waited() | Asked() if event.key:
                self._add(event)
            case StepSkipped(row=row):
                self._slot(row.key)
            case _:
                pass
        self.t = max(self.t, time_of(event))

    def _slot(self, key: str) -> _Slot:
        return self.slots.get(key) or self.slots.setdefault(key, _Slot(start=self.t))

    def _add(self, event: _Ending) -> None:
        slot = self._slot(event.key.partition(",")[0])
        if (span := self._span(slot, event)) is not None:
            slot.spans.append(span)

    def _span(self, slot: _Slot, event: _Ending) -> RowSpan | None:
        t = event.t
        match event:
            case CallAnswered():
                return None if slot.sent is None else _called(slot, slot.sent, t, event)
            case AttemptFailed(kind=why, error=trouble):
                if slot.sent is not None and why in _CALL_FAILURES:
                    return _called(slot, slot.sent, t, event)
                return RowSpan(kind=SpanKind.FAILURE, start=t, seconds=0.0, is_ok=False, trouble=trouble, why=why)
            case Paused() | SignedIn():
                start = max(t - event.seconds, 0.0)
                if isinstance(event, Paused):
                    return RowSpan(kind=SpanKind.WAIT, start=start, seconds=t - start, why=str(event.why or ""))
                return RowSpan(kind=SpanKind.SIGN_IN, start=start, seconds=t - start, why=event.kind, waited=event)
            case Waited(seconds=waited, what=what):
                wait = RowSpan(kind=SpanKind.WAIT, start=t, seconds=0.0, why=str(what), value=waited, waited=event)
                return None if waited is None else wait
            case Asked():
                _give_up(slot, t)
                return _asked(slot, event, start=self.t)


def _asked(slot: _Slot, event: Asked, *, start: float) -> RowSpan | None:
    value, by = event.value, event.by
    if isinstance(value, dict) and ("taken" in value or value.get("as") in ("unknown", "log")):
        return None  # other runs were asked, or nobody gave a verdict
    if isinstance(value, dict) and value.get("as") in ("passed", "failed"):
        slot.judged_by = str(value["as"])
    return RowSpan(kind=SpanKind.ASK, start=start, seconds=max(event.t - start, 0.0), value=value, given_by=by)


def _called(slot: _Slot, event: CallSent, t: float, ending: CallAnswered | AttemptFailed | None) -> RowSpan:
    """The open call of the row, which ends now, without an `ending` where none is known. It is closed with it."""
    slot.sent = None
    start = min(event.t, t)
    answered = ending if isinstance(ending, CallAnswered) else None
    failed = ending if isinstance(ending, AttemptFailed) else None
    return RowSpan(
        kind=SpanKind.LOG if event.call.get("kind") in READINGS else SpanKind.CALL,
        start=start,
        seconds=t - start,
        call=event.call,
        effect=event.effect,
        is_ok=answered is not None,
        value=answered.value if answered else None,
        trouble=failed.error if failed else None,
        why=failed.kind if failed else "" if answered else NO_ANSWER,
        status=ending.status if ending else None,
        size=ending.bytes if ending else None,
        body=failed.body if failed else None,
        request=event.request,
        at=slot.at,
        date=ending.date if ending else None,
        retry_after=failed.retry_after if failed else None,
        is_unproved=failed is not None and failed.unproved,
    )


def _give_up(slot: _Slot, t: float) -> None:
    """The row's open call, if any, has no known answer: another comes, or a person is asked."""
    if slot.sent is not None:
        slot.spans.append(_called(slot, slot.sent, t, None))


def _row(step: StepResult, slot: _Slot, t: float) -> TimedRow:
    _give_up(slot, t)
    end = max((slot.start + step.seconds, *(span.end for span in slot.spans)))
    return TimedRow(
        step=step, start=slot.start, end=end, spans=tuple(slot.spans), begun=slot.begun, judged_by=slot.judged_by
    )


def wall_seconds(text: str) -> float:
    """A moment of an event, in seconds since 1970; 0 of a text that is none."""
    return parse_record(text) or 0.0


_TURN = lazy_pattern(r"(.+)\[\d+\]", re.DOTALL)
_UNDO: Final = "undo/"


def _grouped(nodes: Sequence[RowNode]) -> tuple[SpanNode, ...]:
    found: dict[str, list[RowNode] | RowNode] = {}
    for node in nodes:
        step = node.row.step
        turn = _TURN.fullmatch(step.key) if step.index is not None and not step.key.startswith(_UNDO) else None
        if turn is None or step.kind == "element":  # elements are parts of the row of their chain
            found[f"row {step.key}"] = node
        else:
            group = found.setdefault(f"turns {turn[1]}", [])
            assert isinstance(group, list)
            group.append(node)
    return tuple(
        TurnGroup(name=key.removeprefix("turns "), turns=tuple(span)) if isinstance(span, list) else span
        for key, span in found.items()
    )


def _whole(key: str, known: dict[str, TimedRow]) -> str:
    """The longest key that this row is a part of, where there is such a row; empty where there is none."""
    if key.startswith(_UNDO) and key.count("/") == 1:
        return ""
    cuts = (cut for cut in range(len(key) - 1, 0, -1) if key[cut] in "/[")
    return next((key[:cut] for cut in cuts if key[:cut] in known), "")
