"""The end of a command that carried out several runs: a table of them, their warnings once each, and the exit code."""

from collections import Counter
from collections.abc import Iterator, Sequence

from runner.foundation.durations import written
from runner.foundation.problems import ExitCode, strongest
from runner.foundation.sentences import job_and_case, many
from runner.reports.cells import aligned
from runner.reports.safe import clean
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.summary import exit_sentence, run_warnings
from runner.reports.words import RED, labelled, meaning, title
from runner.runs.events import RunStatus
from runner.runs.result import RunResult, worst
from runner.runs.status import Status

_MARKS = {
    RunStatus.PASSED: Status.PASSED,
    RunStatus.FAILED: Status.FAILED,
    RunStatus.ERROR: Status.ERROR,
    RunStatus.CANCELLED: Status.ERROR,
    RunStatus.REFUSED: Status.ERROR,
    RunStatus.UNKNOWN: Status.UNKNOWN,
}
_MOST_COLUMNS = 6
"""Targets side by side; of more, each run has a line of its own."""


def totals(results: Sequence[RunResult], options: Detail) -> list[Sentence]:
    """With `quiet` the table is printed, since no run that passed was."""
    code = strongest(result.exit_code for result in results)
    counts = Counter(result.status for result in results)
    statuses = ", ".join(f"{counts[status]} {status}" for status in RunStatus if counts[status]) or "nothing ran"
    others = [result for result in results if result.status is not RunStatus.PASSED]
    tone = Tone.GOOD if code is ExitCode.PASSED else Tone.BAD
    table = _table(results) if options.quiet and results else []
    named = [f"{result.status}: {title(result)}" for result in others] if not table else []
    return [
        *table,
        *(Sentence(text=line, tone=Tone.WARNING) for line in _warnings(results)),
        Sentence(text=f"{many(len(results), 'run')}: {statuses}", tone=tone),
        *(Sentence(text=line, indent=2) for line in named),
        exit_sentence(code, meaning(code), tone),
    ]


def _table(results: Sequence[RunResult]) -> list[Sentence]:
    """A line a job and case, a column a target; of many targets a line a run. Each begins with the mark of its worst
    run: no line begins with a text from outside.
    """
    targets = list(dict.fromkeys(result.target.name for result in results))
    if len(targets) > _MOST_COLUMNS:
        return _marked(("RUN", ""), [((title(result), _cell(result)), [result]) for result in results])
    jobs: dict[str, dict[str, list[RunResult]]] = {}
    for result in results:
        job = clean(job_and_case(result.job, result.case))
        jobs.setdefault(job, {}).setdefault(result.target.name, []).append(result)
    rows = [
        (
            (job, *(", ".join(map(_cell, of_job.get(target, ()))) or "-" for target in targets)),
            [result for found in of_job.values() for result in found],
        )
        for job, of_job in jobs.items()
    ]
    return _marked(("JOB", *(clean(target) for target in targets)), rows)


def _marked(head: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], Sequence[RunResult]]]) -> list[Sentence]:
    first, *lines = aligned([head, *(cells for cells, _ in rows)])
    marks = (_MARKS[worst(results) or RunStatus.PASSED] for _, results in rows)
    return [
        Sentence(text=first, indent=2),
        *(Sentence(text=line, status=mark) for line, mark in zip(lines, marks, strict=True)),
    ]


def _cell(result: RunResult) -> str:
    return f"{result.status} {written(result.seconds)}"


def _warnings(results: Sequence[RunResult]) -> Iterator[str]:
    """Each warning once, with how often it came and where first."""
    found: dict[str, list[str]] = {}
    for result in results:
        for place, text in _warnings_of(result):
            found.setdefault(text, []).append(place)
    for text, places in found.items():
        often = f", {len(places)} times, first in " if len(places) > 1 else " in "
        yield from labelled(f"warning{often}{places[0]}", text)


def _warnings_of(result: RunResult) -> Iterator[tuple[str, str]]:
    """The place of each, and its text. Those of red rows were printed with the row."""
    name = title(result)
    for text in run_warnings(result):
        yield name, text
    for step in result.steps:
        if step.status not in RED:
            yield from ((f"{name}, {clean(step.key)}", warning) for warning in step.warnings)
