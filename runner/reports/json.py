"""The JSON report, `format: 1`: all that is known of the runs, uncut, for programs. Secrets are `***`."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from operator import attrgetter

import msgspec
from msgspec.structs import asdict

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import JsonObject
from runner.reports import mistakes
from runner.reports.attempts import records, wait
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.reports.safe import shown_json
from runner.reports.spans import TimedRow, TimedRun, timed
from runner.reports.summary import run_warnings
from runner.runs.events import run_started
from runner.runs.result import StepResult, tally
from runner.runs.store import Part, StoreError
from runner.version import VERSION

MARK = lazy_pattern(rb'\{\s*"format":\s*[0-9]+,\s*"tool":\s*\{\s*"name":\s*"creatio-runner"')
"""How such a report begins, and no other file."""
_STEP = (
    *("id", "key", "name", "kind", "section", "index", "status", "reason", "flaky", "verified", "attempts", "seconds"),
    *("process_id", "result", "outputs", "line", "checks", "warnings", "error", "help", "skipped_by", "effect"),
    *("on_failure", "process", "max_attempts", "unverified", "running", "item", "judged"),
)
"""The keys of a row in their order: fields of `StepResult`."""
_RESULT = (
    *("id", "job", "file", "case", "target", "status", "exit_code", "started_at", "seconds", "inputs", "outputs"),
    "undo",
)
"""The first keys of a run: fields of `RunResult`."""
_RUN_FIELDS = (
    *("engine", "command", "rows", "tags", "description", "source", "dirty", "ci", "access", "traceparent", "applied"),
    *("begun_by", "rerun_of"),
)
"""Fields of `RunStarted`, null where it is lost."""
_ROW_KEYS = (*_STEP, "if")
_row_values = attrgetter(*_STEP, "condition")
_INDENT = b"  "
_ROW = b"\n" + _INDENT * 4  # what is before each row but for its comma
_BEFORE_RUN, _AFTER_RUN = b'\n  "runs": [\n    ', b"\n  ]\n}\n"  # what is around the run in a report of a run
_AT_ONCE = 20  # rows in a piece


def report(command: ReportedCommand, *, version: str = VERSION) -> Iterator[bytes]:
    """Indented JSON of all runs, in pieces: that of 10,000 steps has 27 MB. `seconds` adds up what the runs took."""
    results = command.results
    head: JsonObject = {
        "format": 1,
        "tool": {"name": "creatio-runner", "version": version},
        "status": command.status,
        "exit_code": int(command.exit_code),
        "started_at": min((result.started_at for result in results), default=""),
        "seconds": _rounded(sum(result.seconds for result in results)),
        "counts": {
            status.value: number
            for status, number in tally(step for result in results for step in result.steps).items()
        },
        "problems": mistakes.records(command.problems),
    }
    yield from _record(head, "runs", map(_run, command.runs), depth=0)
    yield b"\n"


def _record(head: Mapping[str, object], last: str, items: Iterable[Iterable[bytes]], *, depth: int) -> Iterator[bytes]:
    """A record in pieces, with a list as its `last` value; its items are in pieces, too."""
    line = b"\n" + _INDENT * depth
    whole = _indented(msgspec.json.encode({**head, last: []}), depth=depth)
    yield whole.removesuffix(b"]%s}" % line)
    between = first = line + _INDENT * 2
    for item in items:
        yield between
        yield from item
        between = b",%s" % first
    yield b"]%s}" % line if between is first else b"%s%s]%s}" % (line, _INDENT, line)


def _indented(encoded: bytes, *, depth: int) -> bytes:
    """Encoded JSON as it is written at this depth, without secrets, and safe to print."""
    around = b"[" * depth + shown_json(encoded) + b"]" * depth
    opened = sum(len("[\n") + len(_INDENT) * level for level in range(1, depth + 1))
    formatted = msgspec.json.format(around, indent=len(_INDENT))
    return formatted[opened : len(formatted) - opened + len(_INDENT) * depth]


def _run(run: ReportedRun) -> Iterator[bytes]:
    """As the report that is stored with the run has it, if there: it is not drawn again."""
    if run.stored_in is not None:
        with suppress(StoreError):
            _, found, rest = run.stored_in.get(run.result.id, Part.REPORT).partition(_BEFORE_RUN)
            if found and rest.endswith(_AFTER_RUN):
                return iter((rest.removesuffix(_AFTER_RUN),))
    return _drawn(run)


def _drawn(run: ReportedRun) -> Iterator[bytes]:
    result, first, timed_run = run.result, run_started(run.lines), timed(run.lines, result=run.result)
    began = dict.fromkeys(_RUN_FIELDS) if first is None else _values(first, _RUN_FIELDS)
    git = {"commit": result.commit, "dirty": began.pop("dirty")}
    head = _values(result, _RESULT) | {"seconds": _rounded(result.seconds), "git": git}
    head |= _values(result, ("digest", "events", "error")) | {"warnings": list(run_warnings(result))}
    head |= {"stop_ordered_by": result.stop_ordered_by, **began, "waits": [*map(wait, timed_run.waits)]}
    return _record(head, "steps", _rows(timed_run), depth=2)


def _rows(run: TimedRun) -> Iterator[tuple[bytes]]:
    """The rows of a run, many in a piece. Each is encoded by itself: as objects, ten thousand take 40 MB."""
    timed_rows, steps = {row.step.key: row for row in run.rows}, run.result.steps
    for start in range(0, len(steps), _AT_ONCE):
        rows = (_step(step, timed_rows.get(step.key)) for step in steps[start : start + _AT_ONCE])
        encoded = b"[%s]" % b",".join(map(msgspec.json.encode, rows))
        indented = _indented(encoded, depth=3)
        yield (indented.removeprefix(b"[%s" % _ROW).removesuffix(b"%s]" % _ROW.removesuffix(_INDENT)),)


def _values(record: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(record, name) for name in names}


def _step(step: StepResult, timed_row: TimedRow | None) -> dict[str, object]:
    row: dict[str, object] = dict(zip(_ROW_KEYS, _row_values(step), strict=True))
    row["seconds"] = _rounded(step.seconds)
    row["checks"] = [*map(asdict, step.checks)]
    row["each_attempt"] = [] if timed_row is None else records(timed_row)
    return row


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
