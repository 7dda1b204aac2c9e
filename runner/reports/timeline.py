"""When what happened in a run, as lines of characters: a bar for each row; turns of a loop share a line."""

from collections.abc import Iterator
from typing import Final

from runner.foundation.durations import written
from runner.reports.safe import aligned, clean
from runner.reports.spans import RowNode, SpanKind, TimedRow, TimedRun, tree
from runner.reports.words import RED, WORST_FIRST, shortened
from runner.runs.status import Status

LEGEND: Final = "█ call  ▒ call that failed  ░ reads the process log  ─ waits  ? asks a person"
_COLUMNS: Final = 32
_MOST: Final = 40  # lines of a run
_LONGEST_KEY: Final = 32
_MARKS: Final = {SpanKind.LOG: "░", SpanKind.SIGN_IN: "░", SpanKind.WAIT: "─", SpanKind.ASK: "?", SpanKind.CALL: "█"}
_STRONG: Final = "█▒?"  # what is not drawn over


def timeline(run: TimedRun) -> list[str]:
    """The lines of the run; texts in them are safe. Red rows are never among those that are left out."""
    groups = [*_groups(run)]
    red = [group for group in groups if any(row.step.status in RED for row in group)]
    shown = {id(group) for group in [*red, *groups][:_MOST]}
    lines = aligned([_cells(run, group) for group in groups if id(group) in shown])
    left_out = len(groups) - len(lines)
    return [*lines, f"and {left_out:,} more"] if left_out else lines


def _groups(run: TimedRun) -> Iterator[list[TimedRow]]:
    """The rows that share a line: the turns of a loop, each other row alone, its parts after it."""

    def flat(node: RowNode) -> Iterator[list[TimedRow]]:
        yield [node.row]
        for part in node.parts:
            yield from flat(part) if isinstance(part, RowNode) else [[turn.row for turn in part.turns]]

    for node in tree(run.rows):
        yield from flat(node) if isinstance(node, RowNode) else [[turn.row for turn in node.turns]]


def _cells(run: TimedRun, rows: list[TimedRow]) -> tuple[str, ...]:
    found = {row.step.status for row in rows}
    key = rows[0].step.key if len(rows) == 1 else f"{rows[0].step.key.rpartition('[')[0]}, {len(rows):,} turns"
    seconds = sum(row.step.seconds for row in rows)
    return (
        str(next(status for status in WORST_FIRST if status in found)),
        shortened(clean(key), _LONGEST_KEY),
        written(seconds) if found != {Status.SKIPPED} else "",
        f"|{_bar(run, rows)}|",
    )


def _bar(run: TimedRun, rows: list[TimedRow]) -> str:
    total, bar = run.seconds or 1.0, [" "] * _COLUMNS
    for row in rows:
        for span in row.spans:
            if span.kind is SpanKind.FAILURE:
                continue
            start = min(int(span.start / total * _COLUMNS), _COLUMNS - 1)
            end = max(round(span.end / total * _COLUMNS), start + 1)
            mark = _MARKS[span.kind] if span.is_ok else "▒"
            for column in range(start, min(end, _COLUMNS)):
                if not span.is_ok or bar[column] not in _STRONG:
                    bar[column] = mark
    return "".join(bar)
