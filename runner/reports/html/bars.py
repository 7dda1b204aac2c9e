"""The bars of the waterfall, as paths of SVG without styles, which a policy may forbid; at least 2 of 1,000 wide."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from runner.foundation.durations import format_duration
from runner.reports.spans import RowNode, RowSpan, SpanKind, TimedRow, TimedRun
from runner.runs.status import RED, Status

WIDTH: Final = 1000
_LEAST_SHARE: Final = 8.0  # some pixels on a narrow screen
_NARROWEST: Final = 2
_PLACES: Final = 200  # columns of the strip over the turns of a loop
_HEIGHTS: Final = {SpanKind.LOG: (3.0, 2.0), SpanKind.SIGN_IN: (3.0, 2.0), SpanKind.WAIT: (3.5, 1.0)}
_TALL: Final = (1.0, 6.0)
_WHOLE: Final = (0.0, 8.0)


def bars(row: TimedRow, *, origin: float, total: float) -> Markup:
    """A path for each kind of span of the row."""
    paths: dict[str, list[str]] = {}
    if not row.spans and row.step.seconds:
        paths["own"] = [_rectangle(row.start - origin, row.step.seconds, total or 1.0, (2.0, 4.0))]
    for span in row.spans:
        if span.kind is SpanKind.FAILURE or (span.kind is SpanKind.WAIT and not span.seconds and not span.value):
            continue
        across = _WHOLE if is_outside(span) else _HEIGHTS.get(span.kind, _TALL)
        shape = _rectangle(span.start - origin, span.seconds, total or 1.0, across)
        paths.setdefault(_name(span), []).append(shape)
    drawn = (f'<path class="{name}" d="{"".join(parts)}"/>' for name, parts in paths.items())
    return Markup("".join(drawn))  # noqa: S704  names of ours and numbers; to escape them took a third of a page's time


def is_outside(span: RowSpan) -> bool:
    """Whether the run's clock was stopped: it waited for its turn, or for the rate of the target."""
    return span.kind is SpanKind.WAIT and span.value is not None


def _name(span: RowSpan) -> str:
    if not span.is_ok:
        return "bad"
    if is_outside(span):
        return "held"
    return "log" if span.kind is SpanKind.SIGN_IN else str(span.kind)


def _rectangle(start: float, seconds: float, total: float, across: tuple[float, float]) -> str:
    x = min(max(start, 0.0) / total * WIDTH, WIDTH - _NARROWEST)
    width = min(max(seconds / total * WIDTH, _NARROWEST), WIDTH - x)
    y, height = across
    return f"M{x:.4g} {y:g}h{width:.3g}v{height:g}h-{width:.3g}z"


def strip(run: TimedRun, turns: Sequence[RowNode]) -> Markup:
    """Turns over the time of the run: the longest of each column as a bar, in red where a turn did not pass."""
    total, longest = run.seconds or 1.0, max(node.row.step.seconds for node in turns) or 1.0
    tall: dict[int, float] = {}
    red: set[int] = set()
    for node in turns:
        place = min(int(node.row.start / total * _PLACES), _PLACES - 1)
        tall[place] = max(tall.get(place, 0.0), node.row.step.seconds)
        if node.row.step.status in RED:
            red.add(place)

    def columns(places: Iterable[int]) -> str:
        step = WIDTH // _PLACES
        return "".join(f"M{at * step} 8v-{max(tall[at] / longest * 8, 0.6):.2g}h4.6V8z" for at in sorted(places))

    drawn = Markup('<path class="strip" d="{}"/><path class="bad" d="{}"/>')
    return drawn.format(columns(tall.keys() - red), columns(red))


def shares(counts: Sequence[tuple[Status, int]]) -> list[tuple[str, float, float]]:
    """Rows by status as parts of a bar: status, where its part begins, and how wide it is, so that each is seen."""
    total = sum(count for _, count in counts)
    widths = [max(_LEAST_SHARE, WIDTH * count / total) for _, count in counts]
    parts, x = [], 0.0
    for (status, _), width in zip(counts, widths, strict=True):
        part = width * WIDTH / sum(widths)
        parts.append((str(status), round(x, 1), round(part, 1)))
        x += part
    return parts


def ticks(seconds: float) -> list[tuple[int, str]]:
    return [(place, format_duration(seconds * place / 100) if place else "0") for place in (0, 25, 50, 75, 100)]
