"""What differs between two runs: what they began with, how they ended, and row by row what was sent and came back.

Ids that stand for each other, and moments, are no difference.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import UNSET, Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import job_and_case, plural, shortened
from runner.foundation.values import Json, compact
from runner.reports.changes import ComparedRun, MaybeJson, RunChanges, Sameness, ValueDifference, changes, sentences
from runner.reports.safe import clean, json_document, moment, safe
from runner.reports.words import LONGEST_VALUE, run_title
from runner.runs.result import RunResult, StepResult
from runner.secrets.shown import hide

SAME = "the same but for ids and times\n"
_MOST = 5  # differences in a value that are shown
_MOST_SHOWN = 50  # differences of the runs, and rows, that the text shows
_LONGEST = 80
_NOT_VERIFIED = "false (the process log shows that it failed)", "null (nothing is known from the process log)"
_SHARE, _SECONDS = 0.25, 0.1  # a time is shown where it is longer or shorter by more than both
_SECONDS_PATH = "seconds"


class RowDifferences(Struct, frozen=True, kw_only=True):
    """`more` is the number of differences in its values that are left out; `errors` say why it did not pass."""

    key: str
    differences: tuple[ValueDifference, ...]
    more: int
    errors: tuple[str | None, str | None]


class RunDifferences(Struct, frozen=True, kw_only=True):
    runs: tuple[RunResult, RunResult]
    changes: RunChanges
    differences: tuple[ValueDifference, ...]
    rows: tuple[RowDifferences, ...]

    @property
    def is_same(self) -> bool:
        """How long it took is shown, and is no difference: a machine is busy at times."""
        found = [*self.differences, *(each for row in self.rows for each in row.differences)]
        return not self.changes.files and all(each.path == _SECONDS_PATH for each in found)


def compare(first: ComparedRun, second: ComparedRun) -> RunDifferences:
    """What differs between two runs, besides times, ids, and what follows from these."""
    sameness = Sameness()
    results = first.result, second.result
    changed, sent = changes(first, second, sameness)
    differences = tuple(_run_differences(*results, sameness, changed))
    rows, others = ({step.key: step for step in run.steps} for run in results)
    found = (
        _row_differences(key, (rows.get(key), others.get(key)), sent.get(key, []), sameness)
        for key in dict.fromkeys([*rows, *others])
    )
    rows_that_differ = tuple(row for row in found if row is not None)
    return RunDifferences(runs=results, changes=changed, differences=differences, rows=rows_that_differ)


def _run_differences(
    first: RunResult, other: RunResult, sameness: Sameness, changed: RunChanges
) -> Iterator[ValueDifference]:
    """The digest holds files, inputs and target: it counts only where nobody knows whether the files differ."""
    places = _place(first), _place(other)
    inputs = list(sameness.differences(first.inputs, other.inputs, "inputs"))
    yield from _pairs(
        ("status", str(first.status), str(other.status)),
        ("job", job_and_case(first.job, first.case), job_and_case(other.job, other.case)),
        ("target", *places),
        ("commit", first.commit, other.commit),
        ("undo", first.undo, other.undo),
    )
    if changed.files is None and places[0] == places[1] and not inputs:
        yield from _pairs(("digest of the job", first.digest, other.digest))
    yield from inputs
    yield from _times(first.seconds, other.seconds)


def _place(run: RunResult) -> str:
    """The URL of a sandbox is another each time."""
    return run.target.name if run.target.sandbox else f"{run.target.name}, {run.target.url}"


def _row_differences(
    key: str,
    steps: tuple[StepResult | None, StepResult | None],
    sent: Sequence[ValueDifference],
    sameness: Sameness,
) -> RowDifferences | None:
    before, after = steps
    if before is None or after is None:
        ends = [UNSET if step is None else str(step.status) for step in steps]
        only = ValueDifference(path="status", first=ends[0], second=ends[1])
        return RowDifferences(key=key, differences=(only,), more=0, errors=(_error(before), _error(after)))
    found = list(_ends(before, after, sameness))
    results = list(sameness.differences(before.result, after.result, "result"))
    found += [*sent[:_MOST], *results[:_MOST]]
    if before.status is after.status:
        found += _times(before.seconds, after.seconds)
    if not found:
        return None
    more = len(sent[_MOST:]) + len(results[_MOST:])
    return RowDifferences(key=key, differences=tuple(found), more=more, errors=(_error(before), _error(after)))


def _ends(first: StepResult, other: StepResult, sameness: Sameness) -> Iterator[ValueDifference]:
    """How they ended. An error is a difference of its own where both ended alike."""
    yield from _pairs(("status", str(first.status), str(other.status)))
    errors = _error(first), _error(other)
    if first.status is other.status and not sameness.are_same(errors[0] or "", errors[1] or ""):
        yield ValueDifference(path="error", first=errors[0], second=errors[1])
    yield from _pairs(("verified", first.verified, other.verified), ("attempts", first.attempts, other.attempts))


def _pairs(*found: tuple[str, Json, Json]) -> Iterator[ValueDifference]:
    yield from (ValueDifference(path=path, first=first, second=other) for path, first, other in found if first != other)


def _times(first: float, other: float) -> Iterator[ValueDifference]:
    if abs(other - first) > max(_SHARE * first, _SECONDS):
        yield ValueDifference(path=_SECONDS_PATH, first=first, second=other)


def _error(step: StepResult | None) -> str | None:
    return None if step is None or step.error is None else f"{step.error.code}: {step.error.message}"


def text(found: RunDifferences) -> str:
    """A heading, the differences of the runs, then those of each row below its key."""
    first, second = (f"{run_title(run)} {clean(run.id)}, {moment(run.started_at)}" for run in found.runs)
    lines = [f"first:  {first}", f"second: {second}"]
    if not found.is_same or found.changes.secret_inputs:
        lines += [f"  {line}" for line in sentences(found.changes)]
    lines += [f"  {line}" for line in _lines(found.differences[:_MOST_SHOWN])]
    if more := len(found.differences[_MOST_SHOWN:]):
        lines.append(f"  and {more} more; `--format json` has all")
    for row in found.rows[:_MOST_SHOWN]:
        lines += [f"  {clean(row.key)}", *(f"      {line}" for line in _row_lines(row))]
    if more := len(found.rows[_MOST_SHOWN:]):
        lines.append(f"  and {plural(more, 'more step')}; `--format json` has all")
    number = sum(len(row.differences) + row.more for row in found.rows) + len(found.differences)
    number += bool(found.changes.files)
    end = SAME if found.is_same else f"{plural(number, 'difference')}\n"
    return "".join(f"{line}\n" for line in lines) + end


def _row_lines(row: RowDifferences) -> Iterator[str]:
    yield from _lines(row.differences)
    if any(difference.path == "status" for difference in row.differences):
        for which, error in zip(("first", "second"), row.errors, strict=True):
            if error is not None:
                yield f"  {which}: {shortened(clean(error), LONGEST_VALUE)}"
    if row.more:
        yield f"and {row.more} more in what was sent and its result"


def _lines(differences: Iterable[ValueDifference]) -> Iterator[str]:
    for each in differences:
        yield f"{clean(each.path)}: {_shown(each.first, each.path)} → {_shown(each.second, each.path)}"


def _shown(value: MaybeJson, path: str) -> str:
    if value is UNSET:
        return "nothing"
    if path == _SECONDS_PATH and isinstance(value, float):
        return format_duration(value)
    if path == "verified" and value in (False, None):
        return _NOT_VERIFIED[value is None]
    whole = hide(value)
    is_word = isinstance(whole, str) and "." not in path and "[" not in path and path not in ("result", "sent")
    return shortened(safe(str(whole) if is_word else compact(whole)), _LONGEST)


def as_json(found: RunDifferences) -> str:
    whole = {
        "format": 1,
        "same": found.is_same,
        "changed": found.changes,
        "runs": [{"id": run.id, "name": run_title(run), "started_at": run.started_at} for run in found.runs],
        "differences": found.differences,
        "rows": found.rows,
    }
    return json_document(hide(msgspec.json.decode(msgspec.json.encode(whole))))
