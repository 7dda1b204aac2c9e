"""`runner apply`: carries out the versions of jobs that have not been applied yet, each once at each target.

What was applied is in a ledger, a file that outlives the runs. Nothing is undone that is gone from the files.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec.structs import replace

from runner.cli import options, output, reports
from runner.cli.apply_ledger import ledger_place
from runner.cli.apply_runs import ApplyRuns, attempt_of, resumable_runs
from runner.cli.asking import permission, wanted
from runner.cli.command import console_of, print_totals, with_reports
from runner.cli.run import nothing_ran
from runner.cli.run_console import RunConsole
from runner.cli.verb import Verb
from runner.execution import stored_plans
from runner.execution.apply_versions import ApplyNeeds, ApplySet, folder_name, ledger_errors, passed_before, versions_of
from runner.execution.prepare import prepare
from runner.execution.run_pool import Carried
from runner.execution.run_spec import RunSet, check_permission
from runner.foundation.durations import written
from runner.foundation.problems import STOPPED, ExitCode, Problem, UsageError, strongest
from runner.foundation.sentences import many
from runner.hosts.stop import Stop
from runner.job.model import Job
from runner.ledger import words
from runner.ledger.decisions import BEGINS, DONE, SENT, Decision, VersionState, can_be_adopted
from runner.ledger.file import LedgerFile
from runner.ledger.model import AttemptEnd, Ledger, LedgerEntry
from runner.ledger.observing import Whereabouts
from runner.ledger.versions import key_of_time
from runner.reports.safe import clean
from runner.runs.events import RunStatus
from runner.runs.journal import utc_now

_BETWEEN_LOOKS = 0.5
"""Seconds between two looks at versions that another command carries out."""


@click.command("apply", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.option("--dry-run", is_flag=True, help="Print what would be done; send nothing, and write nothing down.")
@options.option(
    "--wait",
    metavar="DURATION",
    type=options.Duration(),
    help="Wait up to this long for versions that another command carries out; without it they are exit 3.",
)
@options.option(
    "--retry",
    type=click.Choice(["failed"]),
    help="Carry out once more what ended and did not pass; what is unknown is never repeated.",
)
@options.option(
    "--for",
    "key",
    envvar="CREATIO_RUNNER_APPLY_FOR",
    metavar="KEY",
    type=options.Filled(),
    help="Make this text, such as a release, part of each version: all are carried out once for it. Its variable is "
    "CREATIO_RUNNER_APPLY_FOR.",
)
@options.option(
    "--every",
    envvar="CREATIO_RUNNER_APPLY_EVERY",
    metavar="DURATION",
    type=options.Duration(),
    help="Carry each version out once in each stretch of this length, `24h`, counted in UTC. Its variable is "
    "CREATIO_RUNNER_APPLY_EVERY.",
)
@options.option("--in-order", is_flag=True, help="Let each job wait until the job before it has passed.")
@click.option("--adopt", is_flag=True, help="Take the versions for applied; send nothing.")
@options.option("--prune", is_flag=True, help="Leave jobs that are gone out of later lists; the ledger keeps them.")
@options.option(
    "--ledger",
    metavar="FILE",
    type=options.FilledPath(),
    help="The file that holds which versions were applied. [default: .runner/ledger beside targets.yaml]",
)
@options.TARGET
@options.TARGETS
@options.CATALOG
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@options.JOBS
@options.FAIL_FAST
@options.YES
@options.CONFIRM
@options.HOLD
@options.WAIT_LOCK
@options.WAIT_READY
@options.GRACE
@options.ALLOW_EMPTY
@options.RUNS
@options.QUIET
@options.VERBOSE
@options.reports
@click.pass_context
def apply(context: click.Context, /, **_: object) -> int:
    r"""Carry out the jobs in SPEC that are new or changed, each version once at each target.

    A version is what a job does: its steps, files, inputs, case and target, without comments, texts and secrets. One
    that has passed is not carried out again, nor is one that failed, until the job changes or `--retry failed`. A run
    that broke off goes on. What is unknown is never repeated: settle it, as `runner show` says.

    \b
    Examples:
      runner apply specs -t staging --dry-run
      runner apply specs -t staging --report-junit junit.xml
      runner apply specs -t staging --retry failed
      runner apply smoke -t staging --for "$REVISION"
      runner apply nightly -t staging --every 24h
      runner apply specs -t staging --adopt

    Exit codes are those of `runner run`, the worst of all versions: also of those that failed before. With --dry-run
    it is 0.
    """
    given = context.params
    places = reports.asked_for(context)
    reports.check(places, read=reports.read_by(context))
    _check_options(context)
    run_set = prepare(replace(wanted(context), with_data=True))
    output.problems(*run_set.warnings)
    if not given["quiet"]:
        output.say_lines(run_set.not_read)
    if not run_set.runs:
        return nothing_ran(run_set.nothing, places, is_allowed=given["allow_empty"])
    place = ledger_place(context, run_set.runs)
    given["runs"] = place.runs
    with _opened(place.file) as ledger:
        return _Apply(context, run_set, ledger, places, base=place.base).carry_out()


def _check_options(context: click.Context) -> None:
    given = context.params
    if any(map(stored_plans.is_plan, given["specs"])):
        hint = "`runner run` carries a stored plan out, once"
        raise UsageError(Problem(code="E150", message="`apply` takes job files, not stored plans", hint=hint))
    for first, second in (("key", "every"), ("adopt", "dry_run"), ("adopt", "retry")):
        if given[first] and given[second]:
            names = {"key": "for", "dry_run": "dry-run"}
            message = f"`--{names.get(first, first)}` and `--{names.get(second, second)}` do not go together"
            raise UsageError(Problem(code="E150", message=message, hint="choose one of them"))


@contextmanager
def _opened(path: Path) -> Iterator[Ledger]:
    ledger = LedgerFile(path)
    try:
        yield ledger
    finally:
        ledger.close()


class _Apply:
    """One `apply`, from what is known to the exit code."""

    def __init__(
        self,
        context: click.Context,
        run_set: RunSet,
        ledger: Ledger,
        places: reports.ReportPlaces,
        *,
        base: Path,
    ) -> None:
        self._context = context
        self._given = given = context.params
        self._run_set = run_set
        self._places = places
        self._base = base
        key = given["key"] if given["every"] is None else key_of_time(given["every"], now=time.time())
        versions = versions_of(run_set.runs, key=key, base=base)
        specs = {version.digest: spec for version, spec in zip(versions, run_set.runs, strict=True)}
        self._versions = ApplySet(
            ledger=ledger, store=given["runs"], specs=specs, all=versions, retry=given["retry"] is not None
        )
        self._ledger = ledger
        self._gone: list[LedgerEntry] = []
        self._stop = Stop(grace=given["grace"])
        self._waits_until = time.monotonic() + (given["wait"] or 0.0)

    def carry_out(self) -> ExitCode:
        is_dry = self._given["dry_run"]
        with ledger_errors():
            if not self._ledger.exists():
                self._say_that_all_is_new()
            if not is_dry:
                self._ledger.prepare()
        decisions = self._versions.decisions(writing=False) if is_dry else self._waited_for()
        self._gone = self._find_gone()
        needs = self._versions.needs(self._run_set.names, in_order=self._given["in_order"])
        if is_dry:
            return self._show(decisions, needs)
        if self._given["adopt"]:
            return self._adopt(decisions)
        return self._apply(decisions, needs)

    def _say_that_all_is_new(self) -> None:
        """Also with `--quiet`: in a wrong folder this line is the only sign that everything is carried out again."""
        name = clean(self._ledger.name)
        how = "" if self._given["adopt"] else "; `--adopt` takes them for applied"
        output.say(f"there is no ledger {name} yet, so every version is new{how}")

    def _waited_for(self) -> list[Decision]:
        """What is to be done, when the versions that others carry out have ended, or the time for that is over."""
        decisions = self._versions.decisions(writing=True)
        running = ", ".join(clean(each.version.title) for each in decisions if _is_elsewhere(each))
        if running and time.monotonic() < self._waits_until and self._stop.why is None:
            output.say(f"waiting up to {written(self._given['wait'])} for another command: {running}")
        while any(map(_is_elsewhere, decisions)) and time.monotonic() < self._waits_until and self._stop.why is None:
            self._stop.wait(_BETWEEN_LOOKS)
            decisions = self._versions.decisions(writing=True)
        return decisions

    def _find_gone(self) -> list[LedgerEntry]:
        """Jobs that were applied from these folders, and are not in them any more."""
        folders = [folder_name(spec, self._base) for spec in self._given["specs"] if spec.is_dir()]
        gone = self._versions.gone(self._run_set.names, folders=folders, recursive=self._given["recursive"])
        targets = self._given["target"]
        return [entry for entry in gone if not targets or entry.version.target in targets]

    def _show(self, decisions: Sequence[Decision], needs: ApplyNeeds) -> ExitCode:
        shown = decisions if self._given["verbose"] else [each for each in decisions if each.state not in DONE]
        output.data("".join(f"{line}\n" for line in words.table(shown, self._gone, after=needs.waits)))
        output.say(words.summary_of_plan(decisions))
        return ExitCode.PASSED

    def _adopt(self, decisions: Sequence[Decision]) -> ExitCode:
        adopted = [each for each in decisions if can_be_adopted(each)]
        now = AttemptEnd(status=RunStatus.PASSED, exit_code=ExitCode.PASSED, at=utc_now())
        attempt = replace(attempt_of(self._run_set.runs[0], self._versions.store, None), end=now)
        with ledger_errors():
            self._ledger.adopt([each.version for each in adopted], attempt)
        self._prune()
        left = [each for each in decisions if not can_be_adopted(each)]
        self._print([replace(each, state=VersionState.ADOPTED, before=None) for each in adopted])
        output.say(f"{many(len(adopted), 'version')} adopted; nothing was sent")
        problems, codes = self._of_others(left)
        output.problems(*problems)
        return self._with_reports(Carried(left_out=deque()), codes, problems)

    def _apply(self, decisions: Sequence[Decision], needs: ApplyNeeds) -> ExitCode:
        """Carry out what is new, and what broke off."""
        resumed = resumable_runs(decisions, self._versions.specs, targets=self._given["targets"])
        fresh = [each for each in decisions if each.state in BEGINS]
        passed = passed_before(decisions)
        blocked = needs.hopeless([each.version.digest for each in fresh], passed={*passed, *resumed})
        fresh = [each for each in fresh if each.version.digest not in blocked]
        runs = ApplyRuns(versions=self._versions, fresh=fresh, resumed=resumed, needs=needs, passed=passed)
        self._print([each for each in decisions if each.state in SENT])
        carried, codes = Carried(left_out=deque()), list[ExitCode]()
        if specs := runs.specs():
            allowed = permission(self._context)
            check_permission(specs, allowed)
            console = self._console([spec.job for spec in specs])
            carried, code = runs.carry_out(self._context, console, yes=allowed.yes, stop=self._stop)
            codes += [code] if carried.runs or code is not ExitCode.NOTHING_SELECTED else []
            print_totals(console, carried, total=len(specs))
        return self._ended(runs, carried, codes, decisions)

    def _ended(
        self,
        runs: ApplyRuns,
        carried: Carried,
        codes: list[ExitCode],
        decisions: Sequence[Decision],
    ) -> ExitCode:
        """Report what was not carried out, and what the whole came to. It is too late for exit 2: calls may have been
        sent.
        """
        try:
            self._prune()
            decisions = self._waited_for()
        except UsageError as error:
            output.problems(*error.problems)
            codes.append(ExitCode.NO_ANSWER)
        done = {runs.of_runs[run.facts.id].digest for run in carried.runs}
        problems, of_others = self._of_others([each for each in decisions if each.version.digest not in done])
        if not any(code in STOPPED.values() for code in codes):
            waiting = runs.needs.problems([each for each in decisions if each.state in BEGINS], passed=runs.passed)
            problems += waiting
            codes += [ExitCode.REFUSED] * bool(waiting)
        codes += [*of_others, *([ExitCode.NO_ANSWER] if runs.is_unwritten else [])]
        output.problems(*problems)
        if not self._given["quiet"]:
            output.say(
                words.summary(
                    [run.result for run in carried.runs],
                    [each for each in decisions if each.version.digest not in done],
                )
            )
        return self._with_reports(carried, codes, problems)

    def _of_others(self, decisions: Sequence[Decision]) -> tuple[list[Problem], list[ExitCode]]:
        """What is to be said of versions that this command has not carried out, and their exit codes."""
        found = [words.problem(each, store=self._versions.store.name) for each in decisions]
        return [each for each in found if each is not None], [each.exit_code for each in decisions]

    def _prune(self) -> None:
        """Leave out of later lists what is gone, but for runs that have not ended."""
        if self._given["prune"]:
            with ledger_errors():
                self._ledger.prune([entry.version.digest for entry in self._gone if entry.last.end is not None])

    def _print(self, decisions: Sequence[Decision]) -> None:
        if not self._given["quiet"]:
            output.say_lines("".join(f"{line}\n" for line in words.table(decisions, self._gone)))

    def _console(self, jobs: Sequence[Job]) -> RunConsole:
        return console_of(self._context, self._places, jobs=jobs)

    def _with_reports(self, carried: Carried, codes: Sequence[ExitCode], problems: Sequence[Problem]) -> ExitCode:
        code = strongest(codes) if codes else ExitCode.PASSED
        return with_reports(self._places, carried, code, problems=problems)


def _is_elsewhere(decision: Decision) -> bool:
    """Whether another command carries the version out, or another version that has to end before it begins."""
    is_before = decision.state is VersionState.BLOCKED
    observed = decision.before if is_before else decision.known
    return observed is not None and observed.where is Whereabouts.UNDER_WAY
