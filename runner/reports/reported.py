"""What a report is written from: the runs of a command with their events, and what kept others from being begun."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.problems import ExitCode, Problem, errors_in
from runner.reports.words import meaning
from runner.runs.events import Line, RunStatus
from runner.runs.result import RunResult, worst
from runner.runs.store import RunStore

_STATUS_WITHOUT_RUNS = {
    ExitCode.PASSED: "empty",
    ExitCode.NOTHING_SELECTED: "empty",
    ExitCode.INVALID: "invalid",
    ExitCode.REFUSED: RunStatus.REFUSED.value,
    ExitCode.HUNG_UP: RunStatus.CANCELLED.value,
    ExitCode.INTERRUPTED: RunStatus.CANCELLED.value,
    ExitCode.TERMINATED: RunStatus.CANCELLED.value,
}
_OURS = frozenset({"E311", "E312"})  # of the events, and of a stop: not of what a site answers


class ReportValues(StrEnum):
    """Whose values the reports for people show: inputs, parameters, results, messages."""

    ALL = "all"
    FAILING = "failing"
    NONE = "none"

    def shows(self, *, is_red: bool) -> bool:
        """Whether the values of a row or a run are shown that did not pass (`is_red`), or that did."""
        return self is ReportValues.ALL or (self is ReportValues.FAILING and is_red)


class ReportedRun(Struct, frozen=True, kw_only=True):
    """`stored_in` is the store that has the reports of this result, None where it may have others, or none."""

    result: RunResult
    lines: Sequence[Line]
    stored_in: RunStore | None = None


class ReportedCommand(Struct, frozen=True, kw_only=True):
    """A command as reports show it."""

    runs: Sequence[ReportedRun]
    exit_code: ExitCode
    problems: Sequence[Problem] = ()  # why the command, or a run of it, did not begin
    values: ReportValues = ReportValues.ALL  # those for programs hold all, whatever this is
    passed_before: int = 0  # versions of an `apply` with nothing to do

    @property
    def results(self) -> list[RunResult]:
        return [run.result for run in self.runs]

    @property
    def errors(self) -> list[Problem]:
        return errors_in(self.problems)

    @property
    def shown_errors(self) -> list[Problem]:
        """The errors for people. Without values of a message only its code, in words, and its place."""
        if self.values is not ReportValues.NONE:
            return self.errors
        from runner.explanations.read import explanation  # noqa: PLC0415  1 ms, for pages without values only

        return [replace(each, message=explanation(each.code).title, hint=None, excerpt=None) for each in self.errors]

    @property
    def meaning(self) -> str:
        """The meaning of its exit code, which is also 3 where something did not begin, or could not be written."""
        is_of_a_site = {result.exit_code for result in self.results} | {
            ExitCode.NO_ANSWER for problem in self.errors if problem.code[:2] == "E3" and problem.code not in _OURS
        }
        if self.exit_code is ExitCode.NO_ANSWER and ExitCode.NO_ANSWER not in is_of_a_site:
            return "not everything was carried out, or could be stored or reported"
        return meaning(self.exit_code)

    @property
    def has_damage(self) -> bool:
        """Whether events of its runs are not as they were written."""
        return any(problem.code == "E155" for problem in self.errors)

    @property
    def status(self) -> str:
        """The worst status of all runs; of no runs what the exit code says, `empty` where nothing was to be done."""
        worst_run = worst(self.results)
        if worst_run is None:
            return _STATUS_WITHOUT_RUNS.get(self.exit_code, RunStatus.ERROR.value)
        if worst_run is RunStatus.PASSED and self.errors:
            return RunStatus.ERROR.value
        return worst_run.value


def alone(run: ReportedRun) -> ReportedCommand:
    """A run as if it were the only run of its command."""
    return ReportedCommand(runs=(run,), exit_code=run.result.exit_code)


def newest_by_name(runs: Iterable[ReportedRun]) -> list[ReportedRun]:
    """The newest run of each job (with its file), case and target (with its address), in the place of its first run."""
    found: dict[tuple[str, ...], ReportedRun] = {}
    for run in runs:
        result = run.result
        place = (result.target.name, "" if result.target.sandbox else result.target.url)
        name = (result.file, result.job, result.case or "", *place) if result.job else (result.id,)
        other = found.get(name)
        if other is None or other.result.started_at <= result.started_at:
            found[name] = run
    return list(found.values())
