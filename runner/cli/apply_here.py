"""`apply` without a fleet: this command carries the versions out, here and now."""

import time
from collections import deque
from collections.abc import Collection, Sequence

from runner.cli.apply_command import ApplyCommand
from runner.cli.apply_runs import ApplyRuns, resumable_runs
from runner.cli.command import console_of, not_begun, permission, print_totals
from runner.execution.active_run import ActiveRun
from runner.execution.apply_versions import ApplyNeeds, passed_before
from runner.execution.run_pool import Carried
from runner.execution.run_spec import check_permission
from runner.foundation.durations import written
from runner.foundation.problems import STOPPED, ExitCode, Problem, UsageError, strongest
from runner.hosts.stop import Stop
from runner.ledger import words
from runner.ledger.decisions import BEGINS, SENT, Decision, VersionState
from runner.ledger.observing import Whereabouts, no_call_left
from runner.ledger.repeats import RepeatedSteps
from runner.reports.reported import ReportedRun
from runner.reports.run_again import repeated_keys
from runner.reports.safe import clean
from runner.reports.spans import timed
from runner.runs.events import RunStatus
from runner.runs.store import LocalRunStore
from runner.terminal import output

_BETWEEN_LOOKS = 0.5
"""Seconds between two looks at versions that another command carries out."""


class ApplyHere:
    """An `apply`, from what is known to the exit code."""

    def __init__(self, command: ApplyCommand, store: LocalRunStore) -> None:
        self._command = command
        self._given = command.context.params
        self._store = store
        self._stop = Stop(grace=self._given["grace"])
        self._waits_until = time.monotonic() + (self._given["wait"] or 0.0)

    def carry_out(self) -> ExitCode:
        command, is_dry = self._command, self._given["dry_run"]
        command.say_if_all_is_new()
        if not is_dry:
            command.ledger.prepare()
        command.decided = command.versions.decisions(writing=False) if is_dry else self._waited_for()
        command.gone = command.find_gone()
        needs = command.needs()
        if is_dry:
            going_on = {each.digest for each in command.decided if each.state is VersionState.RESUMED}
            return command.show(needs, _blocked(command.decided, needs, going_on))
        if self._given["adopt"]:
            not_adopted = command.adopt()
            self._prune()
            return command.end_of_adopting(not_adopted)
        return self._apply(command.decided, needs)

    def _waited_for(self) -> list[Decision]:
        """What is to be done, when the versions that others carry out have ended, or the time for that is over."""
        versions = self._command.versions
        decisions = versions.decisions(writing=True)
        running = ", ".join(clean(each.title) for each in decisions if _is_elsewhere(each))
        if running and time.monotonic() < self._waits_until and self._stop.why is None:
            output.say(f"waiting up to {written(self._given['wait'])} for another command: {running}")
        while any(map(_is_elsewhere, decisions)) and time.monotonic() < self._waits_until and self._stop.why is None:
            self._stop.wait(_BETWEEN_LOOKS)
            decisions = versions.decisions(writing=True)
        return decisions

    def _apply(self, decisions: Sequence[Decision], needs: ApplyNeeds) -> ExitCode:
        command = self._command
        resumed = resumable_runs(decisions, command.versions.specs, targets=self._given["targets"])
        fresh = [each for each in decisions if each.state in BEGINS]
        passed = passed_before(decisions)
        blocked = _blocked(decisions, needs, resumed)
        fresh = [each for each in fresh if each.digest not in blocked]
        runs = ApplyRuns(
            versions=command.versions,
            store=self._store,
            fresh=fresh,
            resumed=resumed,
            needs=needs,
            passed=passed,
            refused={each.digest: command.repeated_by(each).refused for each in fresh},
        )
        command.print([each for each in decisions if each.state in SENT and each.digest not in blocked])
        carried, codes = Carried(left_out=deque()), list[ExitCode]()
        if specs := runs.specs():
            allowed = permission(command.context)
            check_permission(specs, allowed)
            console = console_of(
                command.context, command.places, jobs=[spec.job for spec in specs], apart=command.as_json
            )
            carried, code = runs.carry_out(command.context, console, stop=self._stop)
            codes += [code] if carried.runs or code is not ExitCode.NOTHING_SELECTED else []
            if carried.runs:
                print_totals(console, carried)
        return self._end(runs, carried, codes, decisions)

    def _end(self, runs: ApplyRuns, carried: Carried, codes: list[ExitCode], decisions: Sequence[Decision]) -> ExitCode:
        """Report what was not carried out, and the whole. It is too late for exit 2: calls may have been sent."""
        try:
            self._prune()
            decisions = self._waited_for()
        except UsageError as error:
            output.problems(*error.problems)
            codes.append(ExitCode.NO_ANSWER)
        done = {runs.version_of_run[run.facts.run].digest for run in carried.runs}
        others = [each for each in decisions if each.digest not in done]
        own, waiting = strongest(codes), list[Problem]()
        if own not in STOPPED.values():
            waiting = runs.needs.problems([each for each in decisions if each.state in BEGINS], passed=runs.passed)
        codes += [ExitCode.REFUSED] * bool(waiting) + [each.exit_code for each in others]
        codes += [ExitCode.NO_ANSWER] * runs.is_unwritten
        problems = self._command.report_others(others, waiting)
        taken = [_taken(each) for each in others if each.digest in runs.taken and each.state in BEGINS]
        output.problems(*taken)
        codes += [ExitCode.NO_ANSWER] * bool(taken)
        problems += taken
        if not self._given["quiet"]:
            output.say(words.summary([run.result for run in carried.runs], others))
            failed = {runs.version_of_run[run.facts.run].title: run for run in carried.runs if _has_failed(run)}
            repeated = [RepeatedSteps(keys=repeated_keys(timed(run.journal.lines))) for run in failed.values()]
            self._command.say_what_next({title: run.facts.run for title, run in failed.items()}, repeated)
        reported = [ReportedRun(result=run.result, lines=run.journal.lines) for run in carried.runs]
        return self._command.end(decisions, codes, [*problems, *not_begun(carried, own)], reported)

    def _prune(self) -> None:
        """Leave out of later lists what is gone, but for runs that have not ended."""
        if self._given["prune"]:
            gone = [entry.version.digest for entry in self._command.gone if entry.last.end is not None]
            self._command.ledger.prune(gone)


def _blocked(decisions: Sequence[Decision], needs: ApplyNeeds, resumed: Collection[str]) -> frozenset[str]:
    """The new versions that need others which neither have passed nor are carried out now."""
    fresh = [each.digest for each in decisions if each.state in BEGINS]
    return needs.hopeless(fresh, passed={*passed_before(decisions), *resumed})


def _has_failed(run: ActiveRun) -> bool:
    """Whether the version is not carried out again by itself."""
    result = run.result
    if not result.finished or result.status in (RunStatus.PASSED, RunStatus.UNKNOWN, RunStatus.REFUSED):
        return False
    return not (result.status is RunStatus.ERROR and no_call_left(run.journal.lines))


def _taken(decision: Decision) -> Problem:
    """A version that would begin now, and did not, as another command was at it."""
    message = f"`{clean(decision.title)}` is not carried out: another command has begun it, or the version before"
    return Problem(code="E183", message=message, hint="give the command once more", run=decision.version.run)


def _is_elsewhere(decision: Decision) -> bool:
    """Whether another command carries the version out, or another version that has to end before it begins."""
    is_before = decision.state is VersionState.BLOCKED
    observed = decision.before if is_before else decision.known
    return observed is not None and observed.where is Whereabouts.UNDER_WAY
