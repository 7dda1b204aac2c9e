"""The run pool: runs begin, and each is carried out in a thread of its own, up to `jobs` at once.

The main thread listens meanwhile: a signal handler in the thread that reads from a site would have to wait for the
site. Runs that are under way side by side are reported whole, as they end. Runs that name the same lock wait for one
another.
"""

import os
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import uuid_utils
from msgspec import Struct, field
from msgspec.structs import replace

from runner.engine.effects import Ask
from runner.engine.scope import RunFacts
from runner.execution.run_spec import RunSpec
from runner.foundation import threads
from runner.foundation.git import checkout_of
from runner.foundation.problems import Problem, UsageError
from runner.foundation.trace_context import traceparent
from runner.hosts.families import KnownFamilies, WithFamilies
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.planning.plan import ATTEMPT_SECONDS, Plan, plan
from runner.project.ci_run import ci_run, person
from runner.project.sites import ReadySite, Sites
from runner.reports.words import title
from runner.runs import snapshot
from runner.runs.events import GIVEN_UP, CallSent, Line, RunStatus, Waited, stopped, time_of
from runner.runs.evidence import LockHolder
from runner.runs.journal import Journal, utc_now
from runner.runs.lock_waits import LockWaits
from runner.runs.result import RunResult, fold
from runner.runs.store import Claim, Part, RunStore, StoreError
from runner.runs.stored_runs import unwritable
from runner.secrets.redact import Secrets
from runner.version import VERSION

_MOMENT = 1.0
"""Seconds after the grace in which a run may still end by itself, with its last events."""
_POLL = 0.2
"""Seconds between two looks at the clock, while no run ends. A wait without an end would let Windows hear no signal."""


class ActiveRun(Struct, kw_only=True):
    """One run under way or ended.

    `earlier` is what its journal held before this command; `lets_in` tells whether the site does, before the run is
    resumed. `fault` is what broke in the thread that carries it; `unused_verdicts` are the keys of rows that were
    settled without a person's verdict on them. `waits` are those for its lock, before it began or was resumed.
    """

    store: RunStore
    plan: Plan
    facts: RunFacts
    journal: Journal
    site: ReadySite
    judgement: Judgement = field(default_factory=Judgement)
    waits: tuple[Waited, ...] = ()
    earlier: tuple[Line, ...] = ()
    lets_in: Callable[[], bool] = lambda: True
    fault: BaseException | None = None
    unused_verdicts: tuple[str, ...] = ()
    _folded: tuple[int, RunResult] | None = None

    @property
    def result(self) -> RunResult:
        """How the run ended, or how far it is, by its events."""
        lines = self.journal.lines
        count = len(lines)
        if self._folded is None or self._folded[0] != count:
            self._folded = (count, fold(islice(lines, count), run=self.facts.id))
        return self._folded[1]

    @property
    def active_seconds(self) -> float:
        """The active time of a run that is under way: that of its events, and what has passed since the last event."""
        noted = max((time_of(line.event) for line in self.journal.lines), default=0.0)
        last = self.journal.lines[-1] if self.journal.lines else None
        if last is None or (isinstance(last.event, Waited) and last.event.seconds is None):
            return noted
        passed = datetime.fromisoformat(utc_now()) - datetime.fromisoformat(last.at)
        return noted + max(0.0, passed.total_seconds())  # the wall clock may have been set back meanwhile

    @property
    def sent_nothing(self) -> bool:
        return not any(isinstance(line.event, CallSent) for line in self.journal.lines)


def new_id() -> str:
    """The id of a new run, or of a command: they sort by time."""
    return str(uuid_utils.uuid7())


def begin(
    spec: RunSpec,
    sites: Sites,
    store: RunStore,
    *,
    alone: bool,
    judgement: Judgement,
    command: str | None = None,
    run: str | None = None,
) -> ActiveRun:
    """Store a new run with its plan; all runs of one command share the id `command`. `run` is its id, if it has one.

    Raises `UsageError` where it cannot be stored.
    """
    site = sites.of(spec.target)
    secrets = Secrets()
    site.hide_in(secrets)
    made = plan(
        spec.job,
        sources=spec.sources,
        inputs=spec.inputs,
        target=site.name,
        secrets=secrets,
        case=spec.chosen_case,
    )
    seconds, settle = spec.target.timeout or ATTEMPT_SECONDS, spec.target.settle
    made = replace(made, alone=alone, timeout=seconds, settle=settle, elements=spec.elements)
    checkout = checkout_of(Path(spec.job.file).absolute().parent)
    facts = RunFacts(
        id=run or new_id(),
        started_at=utc_now(),
        engine=VERSION,
        commit=checkout.commit,
        dirty=checkout.dirty,
        command=command,
        ci=ci_run(os.environ),
        access=site.access,
        traceparent=traceparent(os.environ),
    )
    try:
        journal = Journal(store.create(facts.id), secrets, now=utc_now)
        store.put(facts.id, Part.PLAN, snapshot.written(made, key=os.urandom(32).hex()))
    except StoreError as error:
        raise unwritable(store, error) from error
    return ActiveRun(store=store, plan=made, facts=facts, journal=journal, site=site, judgement=judgement)


class PendingRun(Struct, frozen=True, kw_only=True):
    """A run that is to begin.

    `may_begin` is asked again whenever a run has ended: a run that waits for others lets those after it pass. `begin`
    gives None where there is nothing to begin any more, and raises `UsageError` where the run cannot be stored.
    """

    title: str
    lock: Claim | None
    begin: Callable[[], ActiveRun | None]
    may_begin: Callable[[], bool] = lambda: True


class PoolOptions(Struct, frozen=True, kw_only=True):
    """How runs are carried out. `ask` puts a question to a person, within seconds; None where no answer came in time.

    `look` is called again and again while runs are under way, with the names of the locks that others wait for.
    `given_up` is set where nobody waits any longer. `started` is called with each run as it begins and gives the
    listener to its events; `ended` when it has ended. `broken` is given a fault of ours and where it happened, and
    reports it.
    """

    stop: Stop
    given_up: threading.Event
    ask: Callable[[Ask, Stop, float | None], bool | None]
    look: Callable[[Sequence[str]], None] = lambda _locks: None
    started: Callable[[ActiveRun], Callable[[Line], None]]
    ended: Callable[[ActiveRun], None]
    broken: Callable[[BaseException, str], Problem]
    jobs: int = 1
    fail_fast: bool = False
    says_yes: bool = False


class Carried(Struct, kw_only=True):
    """What became of the runs: those that began, in the order in which they did, and those that did not, and might.

    `trouble` is why a later run could not begin. `is_unready`: none did, since a site was not ready. `faults` are those
    of ours: no run began after the first.
    """

    left_out: deque[PendingRun]
    runs: list[ActiveRun] = field(default_factory=list)
    trouble: UsageError | None = None
    is_unready: bool = False
    faults: list[Problem] = field(default_factory=list)


def carry_all(pending: Sequence[PendingRun], options: PoolOptions) -> Carried:
    """Carry the runs out, up to `jobs` at once, in their order.

    A signal, a fault of ours, or with `fail_fast` the first that did not pass, lets no further run begin; those under
    way come to their end. Raises `UsageError` where the first cannot be stored and no other has begun.
    """
    carried = Carried(left_out=deque(pending))
    pool = _Pool(options=options)
    while carried.left_out or pool.under_way:
        try:
            if not pool.go_on(carried):
                break
        except UsageError:
            raise
        except Exception as fault:  # noqa: BLE001  the runs beside must not be lost by it
            pool.halt(carried, fault)
    for run in carried.runs:  # before its result is reported, of a run that nobody waited for, too
        why = options.stop.why
        is_given_up = why is not None and run.facts.id in pool.under_way
        last = stopped(str(why), key="", t=run.active_seconds, kind=GIVEN_UP, final=True) if is_given_up else None
        run.journal.seal(last)
    return carried


class _Pool(Struct, kw_only=True):
    """The runs under way, by their ids with the locks that they name. `halted`: no further run may begin."""

    options: PoolOptions
    under_way: dict[str, Claim | None] = field(default_factory=dict)
    halted: bool = False
    _turns: defaultdict[str, Turns] = field(default_factory=lambda: defaultdict(Turns))
    _families: defaultdict[str, KnownFamilies] = field(default_factory=lambda: defaultdict(KnownFamilies))
    _waits: LockWaits = field(default_factory=LockWaits)
    _ended: "queue.SimpleQueue[ActiveRun]" = field(default_factory=queue.SimpleQueue)

    def go_on(self, carried: Carried) -> bool:
        """Begin what may begin, and wait until a run ends; False where none will."""
        while (following := self.next_to_begin(carried)) is not None:
            self.begin(following, carried)
        run = self.next_ended(carried) if self.under_way else None
        if run is not None:
            self.end(run, carried)
        return run is not None

    def halt(self, carried: Carried, fault: BaseException, *, where: str = "") -> None:
        """After a fault of ours no further run begins."""
        carried.faults.append(self.options.broken(fault, where))
        self.halted = True

    def next_to_begin(self, carried: Carried) -> PendingRun | None:
        """The first that may begin now; a run whose lock another run has, or that waits, lets those after it pass."""
        if self.halted or self.options.stop.why is not None or len(self.under_way) >= self.options.jobs:
            return None
        taken = {lock: run for run, lock in self.under_way.items() if lock is not None}
        for pending in carried.left_out:
            if pending.lock in taken:
                self._waits.hold_up(id(pending), holder=taken[pending.lock])
            elif pending.may_begin():
                return pending
        return None

    def begin(self, pending: PendingRun, carried: Carried) -> None:
        """Begin a run. If there is no thread for it, or it cannot be stored, no further run begins, and if it is the
        first, the command is refused.
        """
        try:
            hand_over = _worker(pending.title, self._ended)
            run = _begun(pending, hand_over)
        except UsageError as error:
            if not carried.runs:
                raise
            carried.trouble = error
            self.halted = True
            return
        carried.left_out.remove(pending)
        if run is None:
            return
        carried.runs.append(run)
        holder = self._waits.begin(run.facts.id, title=pending.title)
        if pending.lock is not None:
            run.waits += self._waits.ended(id(pending), pending.lock)
        try:
            run.journal.listeners.append(self.options.started(run))
            host = self._host(run, holder)
        except BaseException:
            hand_over.put(None)
            raise
        self.under_way[run.facts.id] = pending.lock
        hand_over.put(partial(_carry, run, host))

    def _host(self, run: ActiveRun, holder: LockHolder) -> LocalHost:
        key = run.site.key
        return LocalHost(
            caller=WithFamilies(run.site.client, self._families[key]),
            journal=run.journal,
            stop=self.options.stop,
            turn=Turn(self._turns[key], holder),
            ask=self.options.ask,
            judgement=run.judgement,
            person=person(os.environ),
            says_yes=self.options.says_yes,
            waits=run.waits,
            owned=run.store.owned_rows(run.facts.id, site=key, settle=run.plan.settle),
            lets_in=run.lets_in,
        )

    def locks_waited_for(self, carried: Carried) -> list[str]:
        """Of the runs that could begin but for a lock that a run under way has."""
        if self.halted or self.options.stop.why is not None or len(self.under_way) >= self.options.jobs:
            return []
        return [run.lock.name for run in carried.left_out if run.lock is not None]

    def next_ended(self, carried: Carried) -> ActiveRun | None:
        """The next run that ends; None where nobody waits any longer: when the grace is over, nobody does."""
        while not self.options.given_up.is_set():
            if not carried.faults:  # which may be one of this
                self.options.look(self.locks_waited_for(carried))
            try:
                return self._ended.get(timeout=_POLL)
            except queue.Empty:
                if self.options.stop.is_over(since=_MOMENT):
                    self.options.given_up.set()
        return None

    def end(self, run: ActiveRun, carried: Carried) -> None:
        """The run has ended. One that could not even begin is refused like one for which there is no thread."""
        del self.under_way[run.facts.id]
        if isinstance(run.fault, ForgottenError):
            self._refuse(run, carried, _forgotten(run.fault))
            return
        try:
            self.options.ended(run)
        finally:
            self._close(run, carried)

    def _close(self, run: ActiveRun, carried: Carried) -> None:
        if isinstance(run.fault, StoreError):
            if run.sent_nothing:
                self._refuse(run, carried, unwritable(run.store, run.fault))
                return
        elif run.fault is not None:
            self.halt(carried, run.fault, where=f" in {title(run.result)}")
        run.journal.close()
        self.halted = self.halted or (self.options.fail_fast and run.result.status is not RunStatus.PASSED)

    def _refuse(self, run: ActiveRun, carried: Carried, why: UsageError) -> None:
        """Leave out a run that sent nothing, and begin no other. Raises `why` where no other has begun: only then it is
        true of the whole command that nothing was sent.
        """
        carried.runs = [other for other in carried.runs if other is not run]
        if not carried.runs:
            raise why from run.fault
        carried.trouble = why
        self.halted = True


def _forgotten(fault: ForgottenError) -> UsageError:
    """What the run was answered, and needs again, was not stored. Nothing has been sent."""
    hint = "nothing was sent; `runner show` says what the run has done so far, and a person has to do the rest"
    return UsageError(Problem(code="E156", message=f"the run cannot go on: {fault}", hint=hint))


_HandOver: TypeAlias = "queue.SimpleQueue[Callable[[], ActiveRun] | None]"


def _worker(title: str, ended: "queue.SimpleQueue[ActiveRun]") -> _HandOver:
    """A thread that waits for the run that it is to carry out, before anything of the run is stored. Raises
    `UsageError` where there is none to be had.
    """
    handed: _HandOver = queue.SimpleQueue()

    def work() -> None:
        if (carry := handed.get()) is not None:
            ended.put(carry())

    threads.start(work, name=f"run {title}")
    return handed


def _begun(pending: PendingRun, hand_over: _HandOver) -> ActiveRun | None:
    run = None
    try:
        run = pending.begin()
    finally:
        if run is None:
            hand_over.put(None)
    return run


def _carry(run: ActiveRun, host: LocalHost) -> ActiveRun:
    """Carry the run out; what breaks is handed to the main thread, which raises it."""
    try:
        host.carry(run.plan, run.facts, earlier=run.earlier)
    except BaseException as fault:  # noqa: BLE001  as above
        run.fault = fault
    finally:
        run.unused_verdicts = host.unused_verdicts
    return run
