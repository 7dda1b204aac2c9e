"""What did not pass: a card for each reason, with all rows that failed for it."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from runner.reports.html.details import is_small
from runner.reports.html.differences import BothSides, compared
from runner.reports.html.texts import LONG, as_text, message_lines, shown
from runner.reports.reported import ReportValues
from runner.reports.spans import RowSpan, SpanKind, TimedRow, TimedRun, causes, likeness
from runner.runs.events import Check, RunStatus, Section, Status
from runner.runs.evidence import Difference

MOST: Final = 50
MOST_LINKS: Final = 20
_MOST_ATTEMPTS: Final = 5
_ATTEMPT: Final = {"expectation": "not as expected", "in_doubt": "in doubt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDifference:
    """`expected_label` and `actual_label` name the sides: of a list, the item that is nearest is shown."""

    sides: BothSides
    expected_label: str
    actual_label: str
    source: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    that: str
    message: Markup
    differences: tuple[DrawnDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAttempt:
    after: float
    why: str
    message: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCard:
    """The first of `members` is shown. `counts`: whether the failure made its run fail. `again` is the command that
    carries the whole job out again, and `repeated` what it would start a second time.
    """

    members: tuple[tuple[TimedRun, TimedRow], ...]
    checks: tuple[FailedCheck, ...]
    code: str
    message: Markup
    hint: str
    answer: str
    attempts: tuple[EarlierAttempt, ...]
    has_call: bool
    again: str
    repeated: tuple[str, ...]
    counts: bool

    @property
    def run(self) -> TimedRun:
        return self.members[0][0]

    @property
    def row(self) -> TimedRow:
        return self.members[0][1]

    @property
    def run_count(self) -> int:
        return len({run.number for run, _ in self.members})


def cards(runs: Sequence[TimedRun], values: ReportValues) -> list[FailureCard]:
    groups: dict[tuple[str, ...], list[tuple[TimedRun, TimedRow]]] = {}
    for run in runs:
        for row in causes(run):
            groups.setdefault(likeness(run, row), []).append((run, row))
    return [_card(members, values) for members in groups.values()]


def _card(members: Sequence[tuple[TimedRun, TimedRow]], values: ReportValues) -> FailureCard:
    run, row = members[0]
    step, shows = row.step, values.shows(is_red=True)
    known = {check.message for check in step.checks if not check.passed}
    error = step.error
    again, repeated = _again(run, row)
    return FailureCard(
        members=tuple(members),
        checks=tuple(_failed(check, shows=shows) for check in step.checks if not check.passed),
        code=shown(error.code) if error and error.message not in known else "",
        message=message_lines(error.message) if shows and error and error.message not in known else Markup(),
        hint=shown(error.hint) if shows and error else "",
        answer=_answer(row) if shows else "",
        attempts=tuple(_earlier(row, known | {error.message if error else None})) if shows else (),
        has_call=shows and any(span.kind is SpanKind.CALL and span.request and is_small(span) for span in row.spans),
        again=again,
        repeated=repeated,
        counts=run.result.status is not RunStatus.PASSED,
    )


def _failed(check: Check, *, shows: bool) -> FailedCheck:
    differences = (check.differences or ()) if shows else ()
    return FailedCheck(
        that=shown(check.that),
        message=message_lines(check.message or "") if shows else Markup(),
        differences=tuple(map(_difference, differences)),
    )


def _difference(found: Difference) -> DrawnDifference:
    sign, among, at = found.sign, found.among, found.at
    sides, label = compared(found.expected, found.actual, sign=sign), "got"
    if among is not None and at is None:
        nothing = Markup("<i>nothing like it</i>")
        sides, label = BothSides(expected=sides.expected, actual=nothing), f"among {among:,}"
    elif among is not None:
        label = f"nearest of {among:,}, at [{at}]"
    is_equality = sign in ("==", "in")
    return DrawnDifference(
        sides=sides,
        expected_label="expected" if is_equality or sign[:1].isalpha() else f"expected {shown(sign)}",
        actual_label=label,
        source=shown(found.source),
        rule=shown(sign) if sign[:1].isalpha() and not is_equality else "",
    )


def _earlier(row: TimedRow, known: set[str | None]) -> Iterator[EarlierAttempt]:
    """What failed before the end, where the end does not say the same."""
    found = [span for span in row.spans if _is_news(span, known)]
    for span in found[:_MOST_ATTEMPTS]:
        assert span.trouble is not None
        why = _ATTEMPT.get(span.why, span.why.replace("_", " "))
        yield EarlierAttempt(after=span.end - row.start, why=why, message=message_lines(span.trouble.message))


def _is_news(span: RowSpan, known: set[str | None]) -> bool:
    return span.trouble is not None and not any(text and span.trouble.message in text for text in known)


def _answer(row: TimedRow) -> str:
    """What the service answered to the last call that it refused."""
    bodies = [span.body for span in row.spans if span.body]
    return as_text(bodies[-1], LONG) if bodies else ""


def _again(run: TimedRun, row: TimedRow) -> tuple[str, tuple[str, ...]]:
    """Nothing is proposed while a call is in doubt, or before a run that broke off was resumed."""
    result = run.result
    is_open = result.status is RunStatus.UNKNOWN or not result.finished
    if is_open or not result.file or row.step.section is not Section.STEPS:
        return "", ()
    case = "" if result.case is None else f" -k {shlex.quote(shown(f'{result.job}[{result.case}]'))}"
    command = f"runner run {shlex.quote(shown(result.file))} -t {shlex.quote(shown(result.target.name))}{case}"
    undone = {one.step.key for one in run.rows if one.step.section is Section.UNDO and one.step.status is Status.PASSED}
    repeated = (shown(one.step.key) for one in run.rows if _starts(one) and f"undo/{one.step.key}" not in undone)
    return command, tuple(repeated)


def _starts(row: TimedRow) -> bool:
    """Whether the row has started something that must not start twice."""
    step = row.step
    has_passed = step.section is Section.STEPS and step.status is Status.PASSED
    return has_passed and any(span.kind is SpanKind.CALL and span.effect == "once" for span in row.spans)
