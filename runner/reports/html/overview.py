"""What the page begins with: the verdict, counts, how sure the passed rows are; and the table of jobs and targets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import ExitCode
from runner.foundation.sentences import plural
from runner.reports.next_steps import NextStep, next_steps, unfinished
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean
from runner.reports.spans import Sureness, TimedRow, TimedRun, wall_seconds
from runner.reports.words import NOTHING_DONE, doubt_sentence, has_done_nothing, meaning_of, run_title
from runner.runs.events import RunStatus, Section
from runner.runs.evidence import CiRun
from runner.runs.result import RunResult, tally
from runner.runs.status import Status

_DAMAGED: Final = "events are not as they were written"
_SURE: Final = (
    (Sureness.VERIFIED, "verified by the process log"),
    (Sureness.STARTED, "started, as the process log shows, and perhaps not done"),
    (Sureness.INFERRED, "inferred from the process log"),
    (Sureness.PERSON, "confirmed by a person"),
    (Sureness.UNVERIFIED, "not verified"),
    (Sureness.NO_LOG, "need no log"),
)
_WEAKEST: Final = {
    Sureness.UNVERIFIED: "not all verified",
    Sureness.PERSON: "confirmed by a person",
    Sureness.INFERRED: "some inferred",
    Sureness.STARTED: "some only started",
}
"""In order, each as it is called of a run that rests on it."""
_WEB: Final = lazy_pattern(r"https?://[^\s<>\"'\\^`{|}*]+")
_MOST_OF_A_NAME: Final = 20


class Verdict(Struct, frozen=True, kw_only=True):
    status: str
    headline: str
    exit_code: ExitCode
    meaning: str
    counts: tuple[tuple[Status, int], ...]
    run_counts: tuple[tuple[RunStatus, int], ...]
    sureness: tuple[tuple[Sureness, str, int], ...]
    flaky: tuple[tuple[TimedRun, TimedRow], ...]
    started: str
    seconds: float
    commits: tuple[tuple[str, bool], ...]  # what the job files were, and whether files differed from that
    ci: tuple[tuple[str, str], ...]  # the address of a CI job, empty where it is none of the web, and its branch or tag


class OpenRun(Struct, frozen=True, kw_only=True):
    """A run that needs somebody: what is known of it, and the commands that settle it."""

    run: TimedRun
    known: str
    steps: tuple[NextStep, ...]


class JobsByTargets(Struct, frozen=True, kw_only=True):
    """`rows` have a job with its case, and the runs at each target, the newest last."""

    targets: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[TimedRun, ...], ...]], ...]


def verdict(runs: Sequence[TimedRun], command: ReportedCommand) -> Verdict:
    results = [run.result for run in runs]
    passed = Counter(row.sureness for run in runs for row in run.rows if row.step.status is Status.PASSED)
    statuses = Counter(result.status for result in results)
    commits = {(run.result.commit, bool(run.started and run.started.dirty)) for run in runs if run.result.commit}
    is_single = len(results) == 1 and not command.errors
    says_damage = command.has_damage and command.exit_code not in {result.exit_code for result in results}
    what = _DAMAGED if says_damage else command.meaning
    if not runs and command.exit_code is ExitCode.REFUSED:
        what += ": nothing was sent"
    return Verdict(
        status=command.status,
        headline=_headline(runs, command),
        exit_code=command.exit_code,
        meaning=meaning_of(results[0]) if is_single else what,
        counts=counts(row for run in runs for row in run.rows),
        run_counts=tuple((status, statuses[status]) for status in RunStatus if statuses[status]),
        sureness=tuple((kind, words, passed[kind]) for kind, words in _SURE if passed[kind]),
        flaky=tuple((run, row) for run in runs for row in run.rows if row.step.flaky),
        started=min((result.started_at for result in results if result.started_at), default=""),
        seconds=_seconds_of(results),
        commits=tuple(sorted(commits)),
        ci=tuple(sorted({_ci_link(run.ci) for run in runs if run.ci is not None})),
    )


def _seconds_of(results: Iterable[RunResult]) -> float:
    """The time in which any of the runs was under way: what went side by side counts once."""
    found, until = 0.0, 0.0
    for began, seconds in sorted((wall_seconds(result.started_at), result.seconds) for result in results):
        found += max(0.0, began + seconds - max(began, until))
        until = max(until, began + seconds)
    return found


def _ci_link(ci: CiRun) -> tuple[str, str]:
    return ci.url if ci.url and _WEB.fullmatch(ci.url) else "", ci.ref or ""


def never_began(run: TimedRun) -> str:
    """How many planned rows of a run that broke off are not in its events; empty where it is not known."""
    planned = run.started.rows if run.started is not None else None
    if run.result.finished or planned is None:
        return ""
    missing = planned - sum(row.step.section is not Section.UNDO for row in run.rows)
    return f"{missing:,} of {planned:,} planned steps never began" if missing > 0 else ""


def counts(rows: Iterable[TimedRow]) -> tuple[tuple[Status, int], ...]:
    """How many rows ended in each status; statuses that no row has are left out."""
    return tuple((status, count) for status, count in tally(row.step for row in rows).items() if count)


def weakest(run: TimedRun) -> Sureness:
    """What a run that passed rests on: the least sure of its rows."""
    if run.result.status is not RunStatus.PASSED:
        return Sureness.NO_LOG
    found = {row.sureness for row in run.rows if row.step.status is Status.PASSED}
    return next((kind for kind in _WEAKEST if kind in found), Sureness.NO_LOG)


def rests_on(sureness: Sureness) -> str:
    """`some inferred`, if the weakest row of the run is; empty where all rows are sure."""
    return _WEAKEST.get(sureness, "")


def open_runs(runs: Sequence[TimedRun]) -> list[OpenRun]:
    """The runs that need something next."""
    found = []
    for run in runs:
        if steps := next_steps(run.result):
            known = unfinished(run.result) or doubt_sentence(run.result.steps)
            found.append(OpenRun(run=run, known=known, steps=steps))
    return found


def jobs_by_targets(runs: Sequence[TimedRun]) -> JobsByTargets | None:
    """The table of several runs; runs of the same name show the newest."""
    cells: dict[tuple[str, str], list[TimedRun]] = {}
    for run in runs:
        job = run_title(run.result).removesuffix(f"@{clean(run.result.target.name)}")
        cells.setdefault((job, run.result.target.name), []).append(run)
    targets = tuple(dict.fromkeys(target for _, target in cells))
    if len(runs) <= 1:
        return None

    def cell(name: str, target: str) -> tuple[TimedRun, ...]:
        found = sorted(cells.get((name, target), ()), key=lambda run: run.result.started_at)
        return tuple(found[-_MOST_OF_A_NAME:])

    names = dict.fromkeys(name for name, _ in cells)
    rows = tuple((name, tuple(cell(name, target) for target in targets)) for name in names)
    return JobsByTargets(targets=targets, rows=rows)


def _headline(runs: Sequence[TimedRun], command: ReportedCommand) -> str:
    if runs and command.has_damage:
        return _DAMAGED
    if command.errors:
        return "not all runs started" if runs else "no run started"
    if len(runs) == 1:
        return f"{run_title(runs[0].result)}: {runs[0].result.status}{_idle(runs)}"
    bad = sum(run.result.status is not RunStatus.PASSED for run in runs)
    if not runs:
        before = plural(command.passed_before, "version")
        return f"nothing new: {before} passed before" if command.passed_before else "nothing ran"
    return f"{bad:,} of {len(runs):,} runs did not pass" if bad else f"all {len(runs):,} runs passed{_idle(runs)}"


def _idle(runs: Sequence[TimedRun]) -> str:
    """That runs passed which have done nothing: nobody is to take them for runs that did."""
    idle = sum(run.result.status is RunStatus.PASSED and has_done_nothing(run.result) for run in runs)
    if not idle or len(runs) == 1:
        return f", but {NOTHING_DONE}" if idle else ""
    return f", but of {idle:,} of them {NOTHING_DONE}"
