"""`apply` with a fleet: queues the versions, and workers carry them out.

This machine needs no secrets and no access to the sites. A single transaction decides and queues, so that of several
commands a single command queues each version.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import click
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from runner.cli.apply_command import ApplyCommand, apply_command, attempt_of
from runner.cli.command import permission
from runner.cli.fleet import suspended_line, unserved_line
from runner.cli.reports import ReportPlaces, empty
from runner.execution.active_run import new_id
from runner.execution.apply_versions import ApplyNeeds, passed_before
from runner.execution.permission import check_permission
from runner.execution.run_spec import RunSet, RunSpec
from runner.execution.run_versions import apply_origin
from runner.fleet.database import NoDatabaseError
from runner.fleet.overview import suspended_targets, unserved_runs
from runner.fleet.store import FleetStore, check
from runner.foundation.durations import format_duration
from runner.foundation.problems import STOPPED, ExitCode, Problem, RefusedError, UsageError
from runner.foundation.sentences import listed, plural
from runner.foundation.site_key import normalized_url
from runner.hosts.stop import Stop, listening
from runner.ledger import words
from runner.ledger.database import FleetLedger
from runner.ledger.decisions import BEGINS, DONE, NOT_REPEATED, OPEN, Decision, VersionState, can_be_adopted
from runner.ledger.model import VersionClaim
from runner.ledger.queueing import GONE, ObservedFleet, QueuedVersion, queue_unblocked, queue_versions, withdraw
from runner.planning import guards
from runner.planning.plan import stored
from runner.project.ci_run import starter
from runner.project.named_targets import name_of
from runner.reports.next_steps import verb_command
from runner.reports.reported import ReportedRun
from runner.reports.safe import clean
from runner.runs.stored_runs import load
from runner.targets.model import SandboxTarget
from runner.terminal import output

_SHORTEST_PAUSE = 0.5
"""Seconds between two looks at the versions; where there are thousands, a look takes longer, and so does the pause."""
_WAITING = frozenset({VersionState.WAITING, VersionState.BLOCKED})
_ENDED = DONE | NOT_REPEATED | BEGINS
_MAY_PASS = frozenset({*OPEN, *_WAITING, VersionState.HELD, VersionState.UNKNOWN})


class SeenVersions(Struct, frozen=True, kw_only=True):
    """The versions, and what they need, as the database had them when it answered last."""

    decisions: Sequence[Decision]
    needs: ApplyNeeds


class ApplyToFleet:
    """An `apply`, from what is known to the exit code."""

    def __init__(self, command: ApplyCommand, ledger: FleetLedger, store: FleetStore) -> None:
        self._command = command
        self._given = command.context.params
        self._versions = command.versions
        self._ledger = ledger
        self._store = store
        self._stop = Stop(grace=0.0)
        self._fresh: list[Decision] = []
        self._awaited: set[str] = set()
        self._suspended: set[str] = set()
        self._is_away = False

    def carry_out(self) -> ExitCode:
        command = self._command
        refuse_sandboxes(command.specs)
        command.say_if_all_is_new()
        if self._given["dry_run"]:
            self._decide()
            needs = command.needs()
            begins = {each.digest for each in command.decided if each.state in BEGINS}
            hopeful = {each.digest for each in self._hopeful(needs)}
            return command.show(needs, begins - hopeful)
        if self._given["adopt"]:
            with self._ledger.alone():
                self._decide()
                not_adopted = command.adopt()
                self._queue_unblocked()
                self._prune()
            return command.end_of_adopting(not_adopted)
        empty(self._given)
        self._queue()
        command.print(self._fresh)
        return self._end(self._waited_for())

    def _decide(self) -> None:
        self._command.decided = self._versions.decisions(writing=False)
        self._command.gone = self._command.find_gone()

    def _queue(self) -> None:
        """Queue what is new. A person is asked before anything is locked, and again for those that came meanwhile."""
        confirmed = permission(self._command.context).confirmed
        asks = bool(guards.unconfirmed((spec.target for spec in self._command.specs), confirmed=confirmed))
        allowed = frozenset[str]()
        while True:
            if asks:
                self._decide()
                new = [each.digest for each in self._command.decided if each.state in BEGINS]
                self._check_guards([self._versions.specs[digest] for digest in new])
                allowed |= {*new}
            with self._ledger.alone():
                self._decide()
                needs = self._command.needs()
                self._fresh = self._hopeful(needs)
                if not asks:
                    self._check_guards([self._versions.specs[each.digest] for each in self._fresh])
                if not asks or {each.digest for each in self._fresh} <= allowed:
                    self._check_server()
                    self._put(needs)
                    self._prune()
                    return

    def _queue_unblocked(self) -> None:
        """What waited for a version that was adopted begins as if that had passed."""
        adopted = [each.version for each in self._command.decided if can_be_adopted(each)]
        queued = queue_unblocked(self._ledger, adopted)
        if queued:
            output.say(f"queued, as nothing is waited for any more: {listed([*map(clean, queued)])}")

    def _check_guards(self, specs: Sequence[RunSpec]) -> None:
        """Raise `RefusedError`. Nobody is there to answer on a worker, so questions of jobs need `--yes`."""
        allowed = permission(self._command.context)
        if not allowed.yes and (asking := guards.unanswerable(spec.job for spec in specs)):
            raise RefusedError(*asking)
        check_permission(specs, allowed)

    def _check_server(self) -> None:
        """Raise `RefusedError` where versions would begin that may have been applied in a database that is gone."""
        if self._fresh and self._given["retry"] != "refused" and self._ledger.may_have_forgotten():
            titles = listed([clean(each.title) for each in self._fresh])
            message = f"the database was restored, or another server took over: {titles} may have been applied since"
            hint = "look at the site; then `--adopt` marks them as done, and `--retry refused` carries them out"
            raise RefusedError(Problem(code="E183", message=message, hint=hint))

    def _hopeful(self, needs: ApplyNeeds) -> list[Decision]:
        """The new versions that may begin, now or when others have passed."""
        decided = self._command.decided
        fresh = [each for each in decided if each.state in BEGINS]
        may_pass = {each.digest for each in decided if each.state in _MAY_PASS} | _open_elsewhere(needs)
        hopeless = needs.hopeless([each.digest for each in fresh], passed={*passed_before(decided), *may_pass})
        return [each for each in fresh if each.digest not in hopeless]

    def _put(self, needs: ApplyNeeds) -> None:
        queue_versions(
            self._ledger,
            [self._queued(each, needs) for each in self._fresh],
            current=self._versions.all,
            waiting={each.digest: _needed(needs, each) for each in self._command.decided if each.state in _WAITING},
            passing=self._versions.passing,
        )

    def _queued(self, decision: Decision, needs: ApplyNeeds) -> QueuedVersion:
        version = decision.version
        spec = replace(self._versions.specs[version.digest], refused=self._command.repeated_by(decision).refused)
        attempt = attempt_of(spec, run=new_id())
        ordered = apply_origin(
            spec,
            version,
            ledger=self._store.name.text,
            fleet=self._given["fleet"] or "",
            targets=self._given["targets"],
        )
        by = starter(os.environ, confirmed=permission(self._command.context).of(spec.target))
        origin = {"applied": to_builtins(ordered), "begun_by": to_builtins(by)}
        return QueuedVersion(
            claim=VersionClaim(version=version, attempt=attempt, known=decision.attempts),
            plan=json.dumps({**stored(spec.plan(name_of(spec.target))), **origin}),
            lock=None if spec.job.concurrency is None else f"{spec.job.concurrency} at {normalized_url(version.url)}",
            needs=_needed(needs, decision),
        )

    def _prune(self) -> None:
        """Take runs of jobs that are gone out of the queue, and leave those that have ended out of later lists."""
        if not self._given["prune"]:
            return
        gone = self._command.gone
        open_ones = {str(entry.last.run): entry for entry in gone if entry.last.end is None}
        for run in withdraw(self._ledger, open_ones, note=GONE):
            entry = open_ones[run]  # with its folder and commit: two repositories may share a ledger by accident
            commit = "" if entry.last.commit is None else f" at commit {clean(entry.last.commit)}"
            where = f"applied from the folder `{clean(entry.version.folder)}`{commit}"
            output.say(f"taken out of the queue: run {run} of {clean(entry.version.title)}, {where}")
        ended = {entry.version.title for entry in self._ledger.newest() if entry.last.end is not None}
        self._ledger.prune([entry.version.digest for entry in gone if entry.version.title in ended])

    def _waited_for(self) -> SeenVersions:
        """The versions as they are when all have ended that need nobody, or the time for that is over."""
        decided = self._command.decided
        is_changed = self._fresh or any(each.state in _WAITING for each in decided)
        seen = self._see() if is_changed else SeenVersions(decisions=decided, needs=self._command.needs())
        wait = self._given["wait"]
        if wait is None:
            return seen
        self._awaited |= {each.digest for each in (*decided, *seen.decisions) if each.state in OPEN}
        ends, pause, open_ones = time.monotonic() + wait, _SHORTEST_PAUSE, self._open(seen)
        with listening(self._stop, heard=self._say_that_runs_go_on):
            if open_ones:
                output.say(f"waiting up to {format_duration(wait)} for {plural(open_ones, 'run')}")
                self._say_who_is_unserved(seen.decisions)
            while self._stop.why is None and open_ones and (left := ends - time.monotonic()) > 0:
                self._stop.wait(min(pause, left))
                began = time.monotonic()
                try:
                    seen = self._see()
                    open_ones, self._is_away = self._open(seen), False
                    self._say_who_is_suspended([each.version.target for each in seen.decisions if each.state in OPEN])
                except NoDatabaseError as error:  # all is queued: an outage ends nothing but the waiting
                    if not self._is_away:
                        output.say(f"{clean(str(error))}; it is waited for")
                    self._is_away = True
                pause = max(_SHORTEST_PAUSE, 3 * (time.monotonic() - began))
        return seen

    def _see(self) -> SeenVersions:
        return SeenVersions(decisions=self._versions.decisions(writing=False), needs=self._command.needs())

    def _say_who_is_unserved(self, decisions: Sequence[Decision]) -> None:
        """What is queued begins only where a worker serves the target, and the site lets that worker in."""
        targets = sorted({each.version.target for each in decisions if each.state in OPEN})
        self._suspended.clear()  # those that were named before are named again
        with suppress(NoDatabaseError):  # what is queued is queued
            self._say_who_is_suspended(targets)
            for each in unserved_runs(self._store.link, targets=targets) if targets else ():
                output.say(unserved_line(each))

    def _say_who_is_suspended(self, targets: Sequence[str]) -> None:
        """Name each target whose site lets workers not in, once, with what a person has to mend."""
        new = [target for target in targets if target not in self._suspended]
        for each in suspended_targets(self._store.link, targets=new) if new else ():
            self._suspended.add(each.target)
            output.say(suspended_line(each))

    def _say_that_runs_go_on(self, signal: str) -> None:
        output.say(f"{signal}: nothing is waited for any more; the runs go on, and `{self._status()}` shows them")

    def _status(self) -> str:
        return verb_command("status", "", self._store.name).replace(" ''", "")

    def _open(self, seen: SeenVersions) -> int:
        """How many versions end without a person."""
        blocked = self._blocked(seen)
        return sum(each.state in OPEN and each.digest not in blocked for each in seen.decisions)

    def _blocked(self, seen: SeenVersions) -> frozenset[str]:
        """The versions that need others which do not pass by themselves. What is queued already is not among them."""
        needs, decisions = seen.needs, seen.decisions
        passed = passed_before(decisions)
        waiting = [each.digest for each in decisions if each.state is VersionState.WAITING]
        ends = {each.digest for each in decisions if each.state in OPEN and each.digest not in waiting}
        lacking = {each.digest for each in decisions if each.state in BEGINS and needs.lacking(each.digest, passed)}
        return needs.hopeless(waiting, passed={*passed, *ends, *_open_elsewhere(needs, OPEN)}) | lacking

    def _end(self, seen: SeenVersions) -> ExitCode:
        """Nothing is asked of the database here that may not fail: an outage changes neither the code nor the rest."""
        command, decisions = self._command, seen.decisions
        blocked = self._blocked(seen)
        lacking = [each for each in decisions if each.digest in blocked]
        is_waited = self._given["wait"] is not None
        others = [each for each in decisions if each.digest not in blocked and (is_waited or each.state not in OPEN)]
        ended = [each for each in others if each.digest in self._awaited and each.state in _ENDED]
        codes = [each.exit_code for each in others] + [ExitCode.REFUSED] * bool(lacking)
        if self._stop.why is not None:
            codes.append(STOPPED[self._stop.why])
        command.print(ended, gone=False)
        waiting = seen.needs.problems(lacking, passed=passed_before(decisions), queued=True)
        problems = command.report_others([each for each in others if each not in ended], waiting)
        if not self._given["quiet"]:
            queued = {each.digest for each in self._fresh}
            output.say(words.summary_of_queue(decisions, queued, blocked))
            failed = {
                each.title: each for each in ended if each.known and each.state in NOT_REPEATED - {VersionState.REFUSED}
            }
            repeated = [command.repeated_by(each) for each in failed.values()]
            runs = {title: str(each.known.entry.last.run) for title, each in failed.items() if each.known}
            command.say_what_next(runs, repeated)
            if any(each.state in OPEN for each in decisions):
                self._say_who_is_unserved(decisions)
                output.say(f"`{self._status()}` shows how far the runs are")
        reported, unread = self._reported(decisions) if is_waited else ([], [])
        output.problems(*unread)
        codes += [ExitCode.NO_ANSWER] * len(unread)
        return command.end(decisions, codes, [*problems, *unread], reported)

    def _reported(self, decisions: Sequence[Decision]) -> tuple[list[ReportedRun], list[Problem]]:
        """The runs that were waited for and have ended, where a report wants them; else why they cannot be read."""
        if not self._command.places.by_format:
            return [], []
        ended = [each.known.entry.last for each in decisions if each.known and each.digest in self._awaited]
        try:
            runs = [load(self._store, last.run) for last in ended if last.run is not None and last.end is not None]
        except UsageError as error:
            return [], [*error.problems]
        except NoDatabaseError as error:
            message = f"the reports are without the runs that were waited for: {clean(str(error))}"
            return [], [
                Problem(code="E151", message=message, hint="write them later with `runner report RUN --db URL`")
            ]
        return [ReportedRun(result=run.result, lines=run.lines) for run in runs if run.lines], []


def _needed(needs: ApplyNeeds, decision: Decision) -> frozenset[str]:
    return frozenset().union(*needs.waits[decision.digest].values())


def _open_elsewhere(needs: ApplyNeeds, states: frozenset[VersionState] = _MAY_PASS) -> set[str]:
    """What is needed, is not selected, and may still pass."""
    return {digest for digest, state in needs.states().items() if state in states}


def refuse_sandboxes(specs: Sequence[RunSpec]) -> None:
    """Raise `RefusedError` where a run goes to a sandbox: each worker would have its own."""
    names = list(dict.fromkeys(spec.target.name for spec in specs if isinstance(spec.target, SandboxTarget)))
    if names:
        message = f"{listed([*map(clean, names)])} is a sandbox, and a fleet has none: each worker would have its own"
        hint = "choose a site with `-t NAME`; without `--db` this command carries the jobs out itself"
        raise RefusedError(Problem(code="E160", message=message, hint=hint))


def apply_to_fleet(context: click.Context, run_set: RunSet, places: ReportPlaces, dsn: str, *, base: Path) -> ExitCode:
    """Raises `NoDatabaseError`, too."""
    check(dsn)
    with closing(FleetLedger(dsn, fleet=context.params["fleet"] or "")) as ledger, closing(FleetStore(dsn)) as store:
        runs = ObservedFleet(store)
        command = apply_command(context, run_set, places, ledger=ledger, runs=runs, store=store, base=base)
        return ApplyToFleet(command, ledger, store).carry_out()
