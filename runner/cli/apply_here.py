"""`apply` without a fleet: writes each version down before it begins, and its end; resumes runs that broke off."""

import os
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click
from msgspec import Struct, field
from msgspec.structs import replace

from runner.cli import resume
from runner.cli.apply_command import ApplyCommand, attempt_of
from runner.cli.command import carry_out, console_of, not_begun, permission, print_totals, waits_for
from runner.cli.rerun import claimed_by
from runner.execution import resume_run
from runner.execution.active_run import ActiveRun, RunOrigin, begin, new_id
from runner.execution.apply_versions import ApplyNeeds, ApplySet, passed_before
from runner.execution.locks import claim_of
from runner.execution.permission import check_permission
from runner.execution.resume_run import ResumableRun
from runner.execution.run_pool import Carried, PendingRun
from runner.execution.run_spec import GivenAnew, RunSpec
from runner.execution.run_versions import apply_origin
from runner.foundation.durations import format_duration
from runner.foundation.problems import STOPPED, ExitCode, Problem, RefusedError, Severity, UsageError, strongest
from runner.hosts.judgement import Judgement
from runner.hosts.stop import Stop
from runner.job.inputs import Given, Origin
from runner.ledger import words
from runner.ledger.decisions import BEGINS, SENT, Decision, VersionState
from runner.ledger.model import AppliedVersion, AttemptEnd, LedgerError, VersionAttempt, VersionClaim
from runner.ledger.observing import Whereabouts, has_sent_nothing
from runner.ledger.repeats import RepeatedSteps
from runner.project.ci_run import starter
from runner.project.sites import Sandboxes, Sites
from runner.reports.reported import ReportedRun
from runner.reports.run_again import repeated_keys
from runner.reports.safe import clean
from runner.reports.spans import timed
from runner.runs.events import RunStatus
from runner.runs.refused_starts import RefusedStart
from runner.runs.store import LocalRunStore, RerunUnderWay, StoreError
from runner.runs.stored_runs import FirstEvents, prepare_store, writing
from runner.terminal import output
from runner.terminal.run_console import RunConsole


def resumable_runs(
    decisions: Iterable[Decision], specs: Mapping[str, RunSpec], *, targets: Path | None
) -> dict[str, ResumableRun]:
    """The runs that can be resumed, by the digests of their versions; why others cannot is printed.

    A command serves each sandbox anew; runs that began at another address are left to `resume`.
    """
    found: dict[str, ResumableRun] = {}
    ports: set[int | None] = set()
    for decision in decisions:
        run = decision.known.run if decision.known is not None else None
        if decision.state is not VersionState.RESUMED or run is None:
            continue
        digest = decision.digest
        try:
            began = resume_run.check(run)
            resumable = resume_run.load_plan(run, began, GivenAnew(inputs=_secrets_of(specs[digest]), targets=targets))
        except (UsageError, RefusedError) as error:
            output.problems(*error.problems)
            continue
        if began.target.sandbox:
            ports.add(urlsplit(began.target.url).port)
        if not began.target.sandbox or len(ports) == 1:
            found[digest] = resumable
    return found


def _secrets_of(spec: RunSpec) -> dict[str, Given]:
    """The secret inputs as this command was given them. All others are part of the version, and so are as they were."""
    names = [declared.name for declared in spec.job.inputs if declared.secret]
    return {
        name: Given(value=spec.inputs[name], origin=Origin.FILE, is_text=False) for name in names if name in spec.inputs
    }


class ApplyRuns(Struct, kw_only=True):
    """The runs that this command carries out: new (`fresh`), or `resumed` by the digest of their version.

    `passed` and `not_passed` are digests of versions that have ended, also by other commands. `refused` are starts of
    earlier attempts. `taken` are versions that another command has begun meanwhile, with a problem if that is a
    `rerun`.
    """

    versions: ApplySet
    store: LocalRunStore
    fresh: Sequence[Decision]
    resumed: Mapping[str, ResumableRun]
    needs: ApplyNeeds
    passed: set[str]
    refused: Mapping[str, tuple[RefusedStart, ...]]
    not_passed: set[str] = field(default_factory=set)
    version_of_run: dict[str, AppliedVersion] = field(default_factory=dict)
    taken: dict[str, Problem | None] = field(default_factory=dict)
    is_unwritten: bool = False  # the ledger could not take the end of a run

    def carry_out(self, context: click.Context, console: RunConsole, *, stop: Stop) -> tuple[Carried, ExitCode]:
        """Make every site ready, then carry the runs out: those that broke off first."""
        store = self.store
        url = next((run.began.target.url for run in self.resumed.values() if run.began.target.sandbox), None)
        sandboxes = Sandboxes(store, resumed=url)
        with Sites(serve=sandboxes.serve, learn=sandboxes.learn) as sites:
            pending = [*self._to_resume(sites, context), *self._new(sites, context)]
            until_ready = waits_for(sites, self.specs(), context)
            prepare_store(store)
            carried, code = carry_out(
                pending, console, context, store=store, until_ready=until_ready, ended=self._ended, stop=stop
            )
        sandboxes.forget([run.result for run in carried.runs])
        return carried, code

    def specs(self) -> list[RunSpec]:
        fresh = (self.versions.specs[decision.digest] for decision in self.fresh)
        return [*(run.spec for run in self.resumed.values()), *fresh]

    def _to_resume(self, sites: Sites, context: click.Context) -> list[PendingRun]:
        judgement = Judgement(hold=context.params["hold"], look_again=True)
        known = {version.digest: version for version in self.versions.all}

        def pending(run: ResumableRun, version: AppliedVersion) -> PendingRun:
            def begun() -> ActiveRun | None:
                try:
                    resumed = resume.resumed_run(run, sites, judgement)
                except (UsageError, RefusedError) as error:
                    output.problems(*error.problems)
                    return None
                self.version_of_run[resumed.facts.run] = version
                return resumed

            return PendingRun(title=run.spec.title, lock=claim_of(run.spec, sites), begin=begun)

        return [pending(run, known[digest]) for digest, run in self.resumed.items()]

    def _new(self, sites: Sites, context: click.Context) -> list[PendingRun]:
        judgement = Judgement(hold=context.params["hold"])
        alone = context.params["jobs"] == 1 or len(self.fresh) + len(self.resumed) == 1
        command = new_id()

        def begun(decision: Decision, spec: RunSpec) -> ActiveRun | None:
            run = new_id()
            attempt = attempt_of(spec, run=run, place=str(Path(self.store.place(run)).absolute()))
            with self._claimed(decision, attempt) as is_ours:
                if not is_ours:
                    self.taken.setdefault(decision.digest, None)
                    return None
                self.version_of_run[run] = decision.version
                origin = self._origin(decision, spec, context, command=command, run=run)
                active = begin(spec, sites, self.store, alone=alone, judgement=judgement, origin=origin, durable=True)
                self._check_lock(active)
                return active

        return [
            PendingRun(
                title=spec.title,
                lock=claim_of(spec, sites),
                begin=partial(begun, decision, spec),
                may_begin=partial(self._may_begin, decision.digest),
            )
            for decision in self.fresh
            for spec in [replace(self.versions.specs[decision.digest], refused=self.refused[decision.digest])]
        ]

    @contextmanager
    def _claimed(self, decision: Decision, attempt: VersionAttempt) -> Iterator[bool]:
        """Claim the version; False where another command, or a `rerun`, has begun it, or does so now."""
        claim = VersionClaim(version=decision.version, attempt=attempt, known=decision.attempts)
        with ExitStack() as stack:
            if decision.known is not None or decision.before is not None:
                with writing(self.store):
                    claimed = stack.enter_context(self.store.claimed_reruns())
                rerun = self._rerun_of(decision.version, claimed)
                if rerun is not None or self.versions.has_later_attempt(decision):
                    self.taken[decision.digest] = rerun
                    yield False
                    return
            yield bool(stack.enter_context(self.versions.ledger.begin([claim], passing=self.versions.passing)))

    def _rerun_of(self, version: AppliedVersion, claimed: Iterable[RerunUnderWay]) -> Problem | None:
        first_events = FirstEvents(self.store)
        for other in claimed:
            _, began = first_events.origin(other.claimed)
            if began is None or began.applied is None:
                continue
            if (began.job, began.case, began.target.name) == (version.job, version.case, version.target):
                return claimed_by(other, self.store)
        return None

    def _origin(
        self, decision: Decision, spec: RunSpec, context: click.Context, *, command: str, run: str
    ) -> RunOrigin:
        targets = context.params["targets"]
        ordered = apply_origin(spec, decision.version, ledger=self.versions.ledger.name, targets=targets)
        by = starter(os.environ, confirmed=permission(context).of(spec.target))
        return RunOrigin(command=command, run=run, applied=ordered, begun_by=by, targets_file=targets)

    def _check_lock(self, run: ActiveRun) -> None:
        """Raise `UsageError` where others cannot see that this run is under way: they would take it for broken off."""
        if not run.store.is_being_written(run.facts.run):
            run.journal.close()
            where = clean(run.store.name.text)
            message = f"the file system of {where} has no locks: two commands could start a version twice"
            hint = "choose a folder on a local disk with `--runs DIR`"
            raise UsageError(Problem(code="E151", message=message, hint=hint))

    def _may_begin(self, digest: str) -> bool:
        return not self.needs.lacking(digest, self.passed)

    def _ended(self, run: ActiveRun) -> None:
        """Write the end of a run into the ledger. Where that fails the next `apply` reads it from the run."""
        version = self.version_of_run[run.facts.run]
        result = run.result
        has_passed = result.finished and result.status is RunStatus.PASSED
        (self.passed if has_passed else self.not_passed).add(version.digest)
        try:
            if isinstance(run.fault, StoreError) and run.sent_nothing and not run.earlier:
                self.versions.ledger.release(run.facts.run)
            elif result.finished:
                end = AttemptEnd(status=result.status, exit_code=result.exit_code, at=run.journal.lines[-1].at)
                self.versions.ledger.end(run.facts.run, end)
        except LedgerError as error:
            self.is_unwritten = True
            message = f"the end of run {run.facts.run} is not in the ledger: {clean(error.why)}"
            hint = "keep the folder of the runs: the next `runner apply` reads from it what became of the run"
            output.problems(Problem(code="E185", message=message, hint=hint, severity=Severity.WARNING))
        if self.not_passed:
            with suppress(LedgerError):  # what waits for a version goes on waiting
                known = self.versions.ledger.find(self.not_passed)
                self.passed |= {digest for digest, entry in known.items() if entry.has_passed}


_BETWEEN_LOOKS = 0.5  # seconds between two looks at versions that another command carries out


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
            resumed = {each.digest for each in command.decided if each.state is VersionState.RESUMED}
            return command.show(needs, _blocked(command.decided, needs, resumed))
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
            output.say(f"waiting up to {format_duration(self._given['wait'])} for another command: {running}")
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
            check_permission(specs, permission(command.context))
            console = console_of(
                command.context, command.places, jobs=[spec.job for spec in specs], apart=command.as_json
            )
            carried, code = runs.carry_out(command.context, console, stop=self._stop)
            codes += [code] if carried.runs or code is not ExitCode.NOTHING_SELECTED else []
            if carried.runs:
                print_totals(console, carried, is_all=False)
        return self._end(runs, carried, codes, decisions)

    def _end(self, runs: ApplyRuns, carried: Carried, codes: list[ExitCode], decisions: Sequence[Decision]) -> ExitCode:
        """Report what was not carried out, and the whole. It is too late for exit 2: calls may have been sent."""
        before = {each.digest for each in decisions if each.state in BEGINS}
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
        known = before | {each.digest for each in others if each.version.run in {problem.run for problem in waiting}}
        begin = [each for each in others if each.state in BEGINS and each.digest not in known - runs.taken.keys()]
        taken = [runs.taken.get(each.digest) or _begun_elsewhere(each) for each in begin]
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
    """The new versions that need versions which have not passed, and are not carried out now."""
    fresh = [each.digest for each in decisions if each.state in BEGINS]
    return needs.hopeless(fresh, passed={*passed_before(decisions), *resumed})


def _has_failed(run: ActiveRun) -> bool:
    """Whether the version is not carried out again by itself."""
    result = run.result
    if not result.finished or result.status in (RunStatus.PASSED, RunStatus.UNKNOWN, RunStatus.REFUSED):
        return False
    return not has_sent_nothing(result.status, run.journal.lines)


def _begun_elsewhere(decision: Decision) -> Problem:
    """The problem of a version that would begin now, but for another command."""
    message = f"`{clean(decision.title)}` is not carried out: another command has begun it, or the version before"
    return Problem(code="E183", message=message, hint="give the command once more", run=decision.version.run)


def _is_elsewhere(decision: Decision) -> bool:
    """Whether another command carries the version out, or another version that has to end before it begins."""
    is_before = decision.state is VersionState.BLOCKED
    observed = decision.before if is_before else decision.known
    return observed is not None and observed.where is Whereabouts.UNDER_WAY
