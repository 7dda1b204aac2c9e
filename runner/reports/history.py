"""The history of runs, drawn: how the runs of each name ended, and how each step went.

A step is flaky that passed at a later attempt; a run, where the same job, inputs and commit ended differently.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import plural, shortened
from runner.foundation.values import Json, JsonObject
from runner.reports.safe import aligned, clean, json_document
from runner.runs.events import RunStatus
from runner.runs.history import PastFailure, PastRun, PastStep

LEGEND = "✓ passed  ↻ passed at a later attempt  ✗ did not pass  - skipped  · not there; the newest run is on the right"
_SIGNS = {"passed": "✓", "flaky": "↻", "failed": "✗", "skipped": "-"}
_HEAD = ("STEP", "PASSED", "FLAKY", "P50", "P95", "LAST", "LAST FAILURE")
_LONGEST_FAILURE = 60
_DAY = 10  # characters of a moment that are its day


class StepHistory(Struct, frozen=True, kw_only=True):
    """`turns` are what became of the step in each run, None where it was not reached; `milliseconds` are sorted."""

    key: str
    turns: tuple[PastStep | None, ...]
    milliseconds: tuple[int, ...]
    last_failure: tuple[PastRun, PastFailure | None] | None

    @property
    def ran(self) -> int:
        """The runs in which it passed or failed."""
        return sum(step is not None and step.passed + step.red > 0 for step in self.turns)

    @property
    def passed(self) -> int:
        return sum(step is not None and step.passed > 0 and not step.red for step in self.turns)

    @property
    def flaky(self) -> int:
        """The runs in which it passed at a later attempt only."""
        return sum(step is not None and step.flaky > 0 for step in self.turns)

    @property
    def signs(self) -> str:
        return "".join("·" if step is None else _SIGNS[_outcome(step)] for step in self.turns)

    def percentile(self, share: float) -> int | None:
        times = self.milliseconds
        return times[min(int(share * len(times)), len(times) - 1)] if times else None


class NameHistory(Struct, frozen=True, kw_only=True):
    """The newest runs of the same name, the oldest first."""

    runs: tuple[PastRun, ...]

    @property
    def passed(self) -> int:
        return sum(run.status == RunStatus.PASSED for run in self.runs)

    @property
    def contradictions(self) -> int:
        """How many times the same job and inputs, at the same commit, passed and did not pass."""
        results: dict[tuple[str, str], set[bool]] = defaultdict(set)
        for run in self.runs:
            results[run.digest, run.commit].add(run.status == RunStatus.PASSED)
        return sum(len(found) > 1 for found in results.values())

    def steps(self) -> Iterator[StepHistory]:
        for key in dict.fromkeys(key for run in self.runs for key in run.steps):
            turns = [(run, run.steps.get(key)) for run in self.runs]
            red = [(run, step.failure) for run, step in turns if step is not None and step.red]
            yield StepHistory(
                key=key,
                turns=tuple(step for _, step in turns),
                milliseconds=tuple(sorted(ms for _, step in turns if step is not None for ms in step.milliseconds)),
                last_failure=red[-1] if red else None,
            )


def grouped(runs: Iterable[PastRun], *, newest: int) -> list[NameHistory]:
    """The runs by their sorted names, of each the newest. `runs` come the oldest first."""
    by_name: dict[str, list[PastRun]] = defaultdict(list)
    for run in runs:
        by_name[run.title].append(run)
    return [NameHistory(runs=tuple(by_name[title][-newest:])) for title in sorted(by_name)]


def text(histories: Sequence[NameHistory]) -> str:
    """A heading and a table for each name; days are of UTC."""
    parts = ["".join(f"{line}\n" for line in _lines(history)) for history in histories]
    return "\n".join((*parts, f"{LEGEND}\n"))


def as_json(histories: Sequence[NameHistory]) -> str:
    return json_document({"format": 1, "names": [_name_record(history) for history in histories]})


def _lines(history: NameHistory) -> Iterator[str]:
    runs = history.runs
    first, last = clean(runs[0].at[:_DAY]), clean(runs[-1].at[:_DAY])
    days = first if first == last else f"{first} to {last}"
    often = {0: "", 1: "once"}.get(history.contradictions, f"{history.contradictions} times")
    contradicted = often and f"; the same job and inputs gave different results {often}"
    times = sorted(run.ms for run in runs if run.status == RunStatus.PASSED)
    took = f", P50 {_took(times[len(times) // 2])}" if times else ""
    yield f"{clean(runs[-1].title)}, {plural(len(runs), 'run')}, {days}: {history.passed} passed{took}{contradicted}"
    yield from (f"  {line}" for line in aligned([_HEAD, *map(_cells, history.steps())]))


def _cells(step: StepHistory) -> tuple[str, ...]:
    failure = ""
    if step.last_failure is not None:
        run, reason = step.last_failure
        because = f" {clean(reason.code)} {shortened(clean(reason.text), _LONGEST_FAILURE)}" if reason else ""
        failure = f"{clean(run.at[:_DAY])}{because}"
    passed, flaky = f"{step.passed} of {step.ran}", str(step.flaky)
    return (
        clean(step.key),
        passed,
        flaky,
        _took(step.percentile(0.5)),
        _took(step.percentile(0.95)),
        step.signs,
        failure,
    )


def _took(milliseconds: int | None) -> str:
    return "" if milliseconds is None else format_duration(milliseconds / 1000)


def _outcome(step: PastStep) -> str:
    if step.red:
        return "failed"
    if step.flaky:
        return "flaky"
    return "passed" if step.passed else "skipped"


def _name_record(history: NameHistory) -> JsonObject:
    last = history.runs[-1]
    return {
        "job": last.job,
        "case": last.case,
        "target": last.target,
        "passed": history.passed,
        "contradictions": history.contradictions,
        "runs": [_run_record(run) for run in history.runs],
        "steps": [_step_record(step) for step in history.steps()],
    }


def _run_record(run: PastRun) -> JsonObject:
    return {
        "id": run.run,
        "started_at": run.at,
        "status": run.status,
        "seconds": run.ms / 1000,
        "digest": run.digest,
        "commit": run.commit or None,
    }


def _step_record(step: StepHistory) -> JsonObject:
    failure: Json = None
    if step.last_failure is not None:
        run, reason = step.last_failure
        failure = {
            "run": run.run,
            "started_at": run.at,
            "code": reason.code if reason else None,
            "message": reason.text if reason else None,
        }
    return {
        "key": step.key,
        "ran": step.ran,
        "passed": step.passed,
        "flaky": step.flaky,
        "p50_ms": step.percentile(0.5),
        "p95_ms": step.percentile(0.95),
        "last": [None if turn is None else _outcome(turn) for turn in step.turns],
        "last_failure": failure,
    }
