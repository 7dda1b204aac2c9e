"""A run of a fleet, carried out by a worker: begun, or carried on with exactly as `resume` does."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct, convert
from msgspec.structs import replace

from runner.execution.active_run import ActiveRun
from runner.execution.permission import Permission, check_permission
from runner.execution.resume_run import RunBusyError, check, load_plan, only_run, resume
from runner.execution.run_spec import GivenAnew, RunSpec
from runner.execution.stored_plans import PlanLoader
from runner.execution.verdicts import check_results
from runner.fleet import leaving, orders, queue
from runner.fleet.database import NoDatabaseError
from runner.fleet.leaving import Leaving, Left
from runner.fleet.orders import Order
from runner.fleet.queue import QueuedRun
from runner.fleet.store import BegunError, FleetStore
from runner.fleet.suspended import SuspendedTargets, WatchedCaller, has_acted
from runner.fleet.turns import DrainedStop, FleetTurn
from runner.fleet.worker import PATIENCE
from runner.foundation.git import Checkout
from runner.foundation.problems import Problem, RefusedError, UsageError
from runner.foundation.site_key import normalized_url
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError, MisfitError
from runner.hosts.shared_answers import SharedAnswers, SharingCaller
from runner.ledger.model import DIRTY
from runner.planning import plan_file, snapshot
from runner.planning.plan_file import StoredPlan
from runner.project.sites import ReadySite, Sites
from runner.reports.safe import clean
from runner.reports.words import doubtful
from runner.runs import history
from runner.runs.events import RunFacts
from runner.runs.evidence import ApplyOrigin, Person, Starter
from runner.runs.journal import Journal, utc_now
from runner.runs.store import FencedError, StoreError
from runner.runs.stored_runs import load
from runner.secrets.redact import Secrets
from runner.service.calls import CallFailed
from runner.version import REPLAY, VERSION

_FORGOTTEN = "the database was restored, or another server took over"
_LATER = 1.0  # seconds after which another worker may take a run whose site lets this worker not in


class _QueuedOrigin(Struct, frozen=True, kw_only=True):
    """What the `apply` that put the run into the queue stored beside its plan."""

    applied: ApplyOrigin
    begun_by: Starter


_UNCONFIRMED = (
    "is protected here, and nobody confirmed this run: the targets file of its `apply` does not protect it; queue it "
    "with this worker's file: `--targets FILE`, `--confirm NAME` and `--retry refused`"
)


class ShutOutError(Exception):
    """The site lets nobody in, or cannot be reached."""

    def __init__(self, site: ReadySite, failure: CallFailed) -> None:
        super().__init__(failure.trouble.message)
        self.site = site
        self.failure = failure


@dataclass(slots=True, kw_only=True)
class FleetRuns:
    """The runs that this worker carries out.

    A run that has changed nothing goes back into the queue where its site lets nobody in; its target is `suspended`.
    """

    dsn: str
    worker: str
    sites: Sites
    targets: Path | None
    grace: float
    say: Callable[[str], None]  # prints a line
    suspended: SuspendedTargets
    hold: bool = False  # runs wait where a call is in doubt, so that it can be settled
    _drained: threading.Event = field(default_factory=threading.Event)
    _stops: dict[str, DrainedStop] = field(default_factory=dict)
    _answers: dict[str, SharedAnswers] = field(default_factory=dict)

    def drain(self) -> None:
        self._drained.set()

    def undrain(self) -> None:
        self._drained.clear()

    def running(self) -> Sequence[str]:
        return [*self._stops]

    def stop(self, run: str, person: Person) -> None:
        if (stop := self._stops.get(run)) is not None:
            stop.request("SIGINT", ordered_by=person)

    def carry(self, run: str) -> Left:
        """Carry a run on to its end, or to where it is left. Raises `FencedError`, and `NoDatabaseError`."""
        store = FleetStore(self.dsn, worker=self.worker, patience=PATIENCE)
        if not self._stops:  # a worker lives for weeks, and the versions of a process change meanwhile
            self._answers.clear()
        self._stops[run] = DrainedStop(grace=self.grace, drained=self._drained)
        try:
            found = queue.queued_run(store.link, run)
            if found is not None and found.state == "ended":
                self._complete(store, run)
            if found is None or not found.is_open:
                return Left(state="over")
            if self._drained.is_set():
                return Left(state="parked")
            for each, person in orders.to_stop(store.link, [run] if found.lines else []).items():
                self.stop(each, person)  # it was ordered while nobody had the run: no step of it begins
            if found.target in self.suspended.waiting() and not self._ends_without_site(store, run):
                return Left(state="parked", seconds=_LATER)
            return self._carried(store, run, found)
        except (FencedError, NoDatabaseError):
            raise
        except Exception as error:  # noqa: BLE001  else it would be carried on, and break, again and again
            note = f"a fault of this program: {type(error).__name__}: {error}"
            return self._left(store, run, Leaving(state="held" if _has_begun(store, run) else "refused", note=note))
        finally:
            del self._stops[run]
            store.close()

    def _carried(self, store: FleetStore, run: str, found: QueuedRun) -> Left:
        given = orders.open_orders(store.link, run)
        try:
            made = self._resumed(store, run, found, given) if found.lines else self._begun(store, run, found)
        except ShutOutError as error:
            return self._shut_out(store, run, error.site, error.failure)
        except RunBusyError:  # its last worker wrote a line meanwhile, and cannot write any more
            return self._left(store, run, Leaving(state="parked"))
        except (UsageError, RefusedError) as error:
            if isinstance(error.__cause__, (FencedError, NoDatabaseError)):
                raise error.__cause__ from error
            return self._left(
                store, run, _rejected(found, given, note="; ".join(problem.message for problem in error.problems))
            )
        except (FencedError, NoDatabaseError):
            raise
        except BegunError:
            return Left(state="parked", seconds=1.0)
        except StoreError as error:
            return self._left(store, run, _rejected(found, given, note=str(error)))
        if made is None:
            why = f"{_FORGOTTEN}: `runner resume` with `--db` lets it go on"
            return self._left(store, run, Leaving(state="held", note=why))
        return self._carry(store, made, given)

    def _carry(self, store: FleetStore, run: ActiveRun, given: Sequence[Order]) -> Left:
        log = store.log_of(run.facts.run)
        assert log is not None
        turn = FleetTurn(log, site=run.site.key)
        shut_out: list[CallFailed] = []
        if run.earlier and not run.result.finished and not run.judgement.only_settle and not self._only_ends(run):
            run.lets_in = lambda: _lets_in(run, shut_out)
        host = self._host(store, run, turn, shut_out)
        note = None
        try:
            host.carry(run.plan, run.facts, earlier=run.earlier)
            run.journal.commit()
        except (ForgottenError, MisfitError) as error:
            note = f"the run cannot go on: {error}"
        done = [order.number for order in given]
        if run.result.finished:
            return self._ended(store, run, done)
        if note is None and shut_out:
            in_doubt = len(doubtful(run.result.steps))
            return self._shut_out(store, run.facts.run, run.site, shut_out[0], in_doubt=in_doubt)
        is_parked = note is None and (turn.busy or self._drained.is_set())
        state = "parked" if is_parked else "held"
        doubts = len(doubtful(run.result.steps))
        how = Leaving(state=state, note=note, in_doubt=doubts, orders=() if is_parked else done)
        return self._left(store, run.facts.run, how)

    def _shut_out(
        self, store: FleetStore, run: str, site: ReadySite, failure: CallFailed, *, in_doubt: int = 0
    ) -> Left:
        """Park a run whose site lets nobody in, and suspend its target here."""
        reason = site.hide_in(Secrets()).mask(failure.trouble.message)
        self.suspended.suspend(site.name.name, failure, reason=reason)
        return self._left(store, run, Leaving(state="parked", note=reason, in_doubt=in_doubt), seconds=_LATER)

    def _host(self, store: FleetStore, run: ActiveRun, turn: FleetTurn, shut_out: list[CallFailed]) -> LocalHost:
        watched = WatchedCaller(
            caller=run.site.client,
            target=run.site.name.name,
            suspended=self.suspended,
            shut_out=shut_out,
            has_acted=has_acted(run.earlier) or self._only_ends(run),
        )
        answers = self._answers.setdefault(run.site.account_key, SharedAnswers())
        if run.is_of_other_account:
            answers = SharedAnswers(is_of_other_account=True)
        return LocalHost(
            caller=SharingCaller(watched, answers),
            journal=run.journal,
            stop=self._stops[run.facts.run],
            turn=turn,
            ask=lambda _question, _stop, _seconds: True,
            says_yes=True,
            judgement=run.judgement,
            owned=store.owned_rows(run.facts.run, site=run.site.key, settle=run.plan.times.settle),
            lets_in=run.lets_in,
        )

    def _only_ends(self, run: ActiveRun) -> bool:
        """Whether the run was stopped before it has changed anything: it need not wait for its site to end."""
        return self._stops[run.facts.run].why is not None and not has_acted(run.earlier)

    def _ends_without_site(self, store: FleetStore, run: str) -> bool:
        return self._stops[run].why is not None and not has_acted(load(store, run).lines)

    def _ended(self, store: FleetStore, run: ActiveRun, done: Sequence[int]) -> Left:
        result = run.result
        try:
            history.remember(store, result)
        except FencedError:
            raise
        except StoreError as error:
            self.say(f"run {result.id} is missing in the history: {error}")
        how = Leaving(
            state="ended",
            in_doubt=len(doubtful(result.steps)),
            status=str(result.status),
            exit_code=int(result.exit_code),
            seconds=result.seconds,
            orders=done,
        )
        return self._left(store, result.id, how)

    def _complete(self, store: FleetStore, run: str) -> None:
        """The worker of this run was killed right after its last event: the rest follows from the events."""
        with suppress(UsageError):
            ended = load(store, run)
            if history.history_line(ended.result) not in store.history().splitlines():
                history.remember(store, ended.result)
            leaving.complete(store.link, run, in_doubt=len(doubtful(ended.result.steps)), lines=len(ended.lines))

    def _left(self, store: FleetStore, run: str, how: Leaving, *, seconds: float = 0.0) -> Left:
        log = store.log_of(run) or store.reopen(run)
        try:
            leaving.leave(log, how)
        finally:
            log.close()
        ended = how.status or ("waits in the queue" if how.state == "parked" else how.state)
        self.say(f"run {run} {ended}{f': {clean(how.note)}' if how.note else ''}")
        found = queue.queued_run(store.link, run)
        name = None if found is None or not found.lines else queue.queue_of(store.link, found.target, replay=REPLAY)
        return Left(state=how.state, queue=name, seconds=seconds)

    def _begun(self, store: FleetStore, run: str, found: QueuedRun) -> ActiveRun:
        if found.may_have_forgotten:
            message = f"{_FORGOTTEN}, and may have forgotten that it was carried out: look at the site"
            raise RefusedError(Problem(code="E156", message=message))
        applied, spec, origin = _spec(found, self.targets)
        _check_allowed(spec, origin)
        site = self.sites.of(spec.target)
        _check_place(applied, site)
        if (failure := site.client.sign_in(spec.target.times.timeout)) is not None:
            raise ShutOutError(site, failure)
        secrets = site.hide_in(Secrets())
        made = spec.plan(site.name, secrets)
        then = _checkout(found.commit)
        facts = RunFacts(
            run=run,
            started_at=utc_now(),
            engine=VERSION,
            commit=then.commit,
            dirty=then.dirty,
            access=site.access,
            applied=origin.applied,
            begun_by=origin.begun_by,
        )
        log = store.create(run)
        journal = Journal(log, secrets, now=utc_now)
        leaving.begin(log, kept=snapshot.snapshot_text(made, key=os.urandom(32).hex()), url=site.name.url)
        return ActiveRun(
            store=store, plan=made, facts=facts, journal=journal, site=site, judgement=Judgement(hold=self.hold)
        )

    def _resumed(self, store: FleetStore, run: str, found: QueuedRun, given: Sequence[Order]) -> ActiveRun | None:
        """The run, to be carried on; None where what it sent may be forgotten, and nobody has checked it since."""
        if found.may_have_forgotten and not given:
            return None
        stored = replace(load(store, run), is_running=False)
        verdicts = {order.key: order.verdict for order in given if order.key is not None}
        judgement = Judgement(
            verdicts=verdicts,
            people={order.key: order.person for order in given if order.key is not None},
            hold=self.hold,
            look_again=True,
            only_settle=bool(given) and all(order.only_settle for order in given),
        )
        resumable = load_plan(stored, check(stored), GivenAnew(targets=self.targets))
        check_results(verdicts, resumable.spec.job, stored.result)
        check_permission([resumable.spec], Permission(yes=True, confirmed=frozenset({resumable.spec.target.name})))
        return resume(resumable, self.sites, judgement)


def _rejected(found: QueuedRun, given: Sequence[Order], *, note: str) -> Leaving:
    """A run that waits for a person from here on: it cannot be begun, or not be resumed."""
    state = "held" if found.lines else "refused"
    return Leaving(state=state, note=note, orders=[order.number for order in given])


def _has_begun(store: FleetStore, run: str) -> bool:
    """Whether there is something to resume: what has no event can only be refused, and applied again."""
    found = queue.queued_run(store.link, run)
    return store.log_of(run) is not None or (found is not None and found.lines > 0)


def _lets_in(run: ActiveRun, shut_out: list[CallFailed]) -> bool:
    """Sign in before anything is carried out: else `undo` and `finally` would be given up for a wrong password."""
    failure = run.site.client.sign_in(run.plan.times.timeout)
    if failure is not None:
        shut_out.append(failure)
    return failure is None


def _check_allowed(spec: RunSpec, origin: _QueuedOrigin) -> None:
    """Raise `RefusedError` for what this worker's own targets file forbids, or protects and nobody confirmed."""
    if spec.target.protected and origin.begun_by.confirmed is None:
        raise RefusedError(Problem(code="E160", message=f"target `{spec.target.name}` {_UNCONFIRMED}"))
    check_permission([spec], Permission(yes=True, confirmed=frozenset({spec.target.name})))


def _check_place(applied: StoredPlan, site: ReadySite) -> None:
    """Refuse a target that is another place here than where the job was applied; what a template gave is unknown."""
    then = applied.target.url
    if "{{" not in then and normalized_url(then) != normalized_url(site.name.url):
        message = f"target `{site.name.name}` was {then} when the job was applied, and is {site.name.url} here"
        raise UsageError(Problem(code="E154", message=message, hint="give the worker the same targets file"))


def _spec(found: QueuedRun, targets: Path | None) -> tuple[StoredPlan, RunSpec, _QueuedOrigin]:
    """The run as it was applied. Raises `UsageError`."""
    written = json.loads(found.plan) if found.plan else {}
    stored = plan_file.from_record(written)
    if stored is None:
        raise UsageError(Problem(code="E154", message="the run's plan cannot be read", hint="apply the job again"))
    problems: list[Problem] = []
    runs = PlanLoader(plans=[stored], targets_file=targets, known={}, changes=_changes).runs(problems)
    return stored, only_run(runs, problems), convert(written, _QueuedOrigin)


def _changes(spec: RunSpec, stored: StoredPlan) -> Iterator[Problem]:
    """What was changed; an input that only the worker has, a secret, is not in the digest."""
    applied = replace(spec, inputs={name: value for name, value in spec.inputs.items() if name in stored.inputs})
    if applied.plan(stored.target).digest != stored.digest:
        message = "the run's plan does not fit its digest: it was changed after it was applied"
        yield Problem(code="E154", message=message, hint="apply the job again")


def _checkout(commit: str | None) -> Checkout:
    """What was checked out where the run was applied."""
    if commit is None:
        return Checkout()
    return Checkout(commit=commit.removesuffix(DIRTY), dirty=commit.endswith(DIRTY))
