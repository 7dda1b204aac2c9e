"""The rows of a run as the template draws them, on the same scale, in portions.

The browser lays a portion out when it comes into sight: 10,000 rows open at once, and can be searched and printed.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from markupsafe import Markup
from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import shortened
from runner.reports.html.bars import bars, is_outside, strip
from runner.reports.html.overview import counts
from runner.reports.safe import clean
from runner.reports.spans import RowNode, SpanNode, Sureness, TimedRow, TimedRun, TurnGroup, tree
from runner.reports.words import because
from runner.runs.events import Section, WaitsFor
from runner.runs.evidence import Unverified
from runner.runs.result import StepResult
from runner.runs.status import RED, WORST_FIRST, Status

_IN_PORTION: Final = 100
_LONGEST_CONDITION: Final = 60
_OPEN_TURNS: Final = 12  # a loop of more turns is closed, and its turns are drawn each from its own start
_UNVERIFIED: Final = {
    Unverified.OFF: "not verified: `verify: none`",
    Unverified.UNREADABLE: "not verified: no log",
}
_WAITS: Final = {WaitsFor.TURN: "its turn", WaitsFor.RATE: "the rate of the target"}
_ORDER: Final = (Section.STEPS, Section.UNDO, Section.FINALLY)
_SURENESS_WORDS: Final = {
    Sureness.VERIFIED: "verified",
    Sureness.STARTED: "started",
    Sureness.INFERRED: "inferred",
    Sureness.PERSON: "confirmed by a person",
    Sureness.UNVERIFIED: "not verified",
    Sureness.CONTRADICTED: "the log says: failed",
    Sureness.NO_LOG: "",
}


class DrawnRow(Struct, frozen=True, kw_only=True):
    """`labels` are a few words each, and the class of their style, which may be empty."""

    row: TimedRow
    key: str
    name: str
    classes: str
    labels: tuple[tuple[str, str], ...]
    bars: Markup
    portions: tuple["Portion", ...]


class DrawnTurns(Struct, frozen=True, kw_only=True):
    """`has_own_scale`: each turn is drawn from its own start, `longest` seconds wide."""

    key: str
    title: str
    status: Status
    counts: tuple[tuple[Status, int], ...]
    flaky: int
    unverified: int
    seconds: float
    median: float
    p95: float
    longest: float
    has_own_scale: bool
    strip: Markup
    portions: tuple["Portion", ...]

    @property
    def count(self) -> int:
        return sum(count for _, count in self.counts)


Drawn: TypeAlias = DrawnRow | DrawnTurns


class Portion(Struct, frozen=True, kw_only=True):
    """`label` is empty where the list is whole."""

    label: str
    nodes: tuple[Drawn, ...]


class _Scale(Struct, frozen=True, kw_only=True):
    """The time that the whole width shows; `origin` is None where each row begins at its own time."""

    origin: float | None
    total: float


def sections(run: TimedRun) -> tuple[tuple[str, tuple[Portion, ...]], ...]:
    """Steps, undo and finally, each with its rows as they began."""
    nodes, scale = tree(run.rows), _Scale(origin=0.0, total=run.seconds)
    within = {section: [node for node in nodes if node.section is section] for section in _ORDER}
    return tuple((str(section), _portions(run, found, scale)) for section, found in within.items() if found)


def sure_word(row: TimedRow) -> str:
    """What the row's status rests on, or which person's verdict."""
    if row.sureness is Sureness.UNVERIFIED and row.step.unverified is not None:
        return _UNVERIFIED.get(row.step.unverified, _SURENESS_WORDS[Sureness.UNVERIFIED])
    if row.sureness is Sureness.PERSON:
        names = [span.given_by.ci_user or span.given_by.user for span in row.spans if span.given_by is not None]
        return f"confirmed by {names[-1]}" if names and names[-1] else _SURENESS_WORDS[Sureness.PERSON]
    return _SURENESS_WORDS[row.sureness]


def _portions(run: TimedRun, nodes: Sequence[SpanNode], scale: _Scale) -> tuple[Portion, ...]:
    drawn = [(_turns(run, node) if isinstance(node, TurnGroup) else _row(run, node, scale)) for node in nodes]
    found = []
    for at in range(0, len(drawn), _IN_PORTION):
        part = tuple(drawn[at : at + _IN_PORTION])
        label = f"{part[0].key} and on" if len(drawn) > _IN_PORTION else ""
        found.append(Portion(label=label, nodes=part))
    return tuple(found)


def _row(run: TimedRun, node: RowNode, scale: _Scale) -> DrawnRow:
    row, step = node.row, node.row.step
    own = _Scale(origin=row.start, total=scale.total) if scale.origin is None else scale
    classes = [str(step.status), "flaky" if step.flaky else "", class_of(row.sureness)]
    return DrawnRow(
        row=row,
        key=step.key,
        name=step.name if step.name != step.key and step.index is None else "",
        classes=" ".join(filter(None, classes)),
        labels=tuple(_labels(row)),
        bars=bars(row, origin=own.origin or 0.0, total=scale.total),
        portions=_portions(run, node.parts, own),
    )


def attempts_of(step: StepResult) -> str:
    """`attempt 2 of 3`, at which the row ended; empty where the first was enough."""
    if step.attempts <= 1:
        return ""
    most = step.max_attempts or 0
    return f"attempt {step.attempts} of {most}" if most >= step.attempts else f"{step.attempts} attempts"


def _labels(row: TimedRow) -> Iterator[tuple[str, str]]:
    step, sure = row.step, sure_word(row)
    if attempts := attempts_of(step):
        yield attempts, ""
    if step.flaky:
        yield "flaky", "flaky"
    if sure:
        yield sure, class_of(row.sureness)
    if step.warnings and row.sureness is not Sureness.UNVERIFIED:
        yield "warning", "warn"
    if step.status is Status.SKIPPED:
        is_by_condition = step.reason == "condition" and step.condition is not None
        condition = f": `{shortened(clean(step.condition or ''), _LONGEST_CONDITION)}`" if is_by_condition else ""
        yield f"{because(step)}{condition}", ""
    if step.status in RED and step.on_failure == "ignore":
        yield "does not count", ""
    waits = [(span.why, span.value) for span in row.spans if is_outside(span) and isinstance(span.value, float)]
    for why, words in _WAITS.items() if waits else ():  # what it waited for while the run's clock was stopped
        if waited := sum(seconds for kind, seconds in waits if kind == why):
            yield f"waited {format_duration(waited)} for {words}", "held"


def class_of(sureness: Sureness) -> str:
    return sureness.replace(" ", "-")


def _turns(run: TimedRun, group: TurnGroup) -> DrawnTurns:
    rows = [node.row for node in group.turns]
    times = sorted(row.step.seconds for row in rows)
    found = {row.step.status for row in rows}
    longest = max(row.end - row.start for row in rows)
    has_own_scale = len(rows) > _OPEN_TURNS
    scale = _Scale(origin=None, total=longest) if has_own_scale else _Scale(origin=0.0, total=run.seconds)
    return DrawnTurns(
        key=group.name,
        title=rows[0].step.name,
        status=next(status for status in WORST_FIRST if status in found),
        counts=counts(rows),
        flaky=sum(row.step.flaky for row in rows),
        unverified=sum(row.sureness is Sureness.UNVERIFIED for row in rows),
        seconds=sum(times),
        median=_at(times, 0.5),
        p95=_at(times, 0.95),
        longest=longest,
        has_own_scale=has_own_scale,
        strip=strip(run, group.turns),
        portions=_portions(run, group.turns, scale),
    )


def _at(times: Sequence[float], share: float) -> float:
    return times[min(int(share * len(times)), len(times) - 1)]
