"""The run pool: carries runs out, each in a thread, up to `jobs` at once.

The main thread hears signals, which a thread that reads from a site could not. Runs side by side are reported as they
end. A run that has ended makes room for the next while its reports are written; a run that has passed does so while its
end is written to the disk.
"""

import os
import queue
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from runner.engine.effects import Ask
from runner.execution.active_run import ActiveRun
from runner.execution.locks import LockWaits
from runner.foundation import threads
from runner.foundation.problems import Problem, RefusedError, UsageError
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError, MisfitError
from runner.hosts.shared_answers import SharedAnswers, SharingCaller
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.project.ci_run import ci_run, person, person_elsewhere
from runner.reports.words import run_title
from runner.runs.events import GIVEN_UP, Line, RunResumed, RunStatus, stopped
from runner.runs.evidence import LockHolder, Person
from runner.runs.store import Claim, LocalRunStore, StoreError
from runner.runs.stored_runs import unwritable

_MOMENT = 1.0  # seconds after the grace in which a run may still end by itself, with its last events
_POLL = 0.2
"""Seconds between two looks at the clock, while no run ends. A wait without an end would let Windows hear no signal."""


class PendingRun(Struct, frozen=True, kw_only=True):
    """A run that is to begin."""

    title: str
    place: tuple[str, str] | None = None  # its file and its target, of a `run`
    lock: Claim | None
    begin: Callable[[], ActiveRun | None]  # None: nothing is to begin any more; raises `UsageError`, or `RefusedError`
    may_begin: Callable[[], bool] = lambda: True  # asked again whenever a run has ended


class PoolOptions(Struct, frozen=True, kw_only=True):
    """How runs are carried out."""

    store: LocalRunStore  # of all the runs
    stop: Stop
    ask: Callable[[Ask, Stop, float | None], bool | None]  # asks a person; None where no answer came within the seconds
    look: Callable[[Sequence[str]], None] = lambda _locks: None  # called in between, with the locks waited for
    started: Callable[[ActiveRun], Callable[[Line], None]]  # gives the listener to the events of a run
    ended: Callable[[ActiveRun], None]  # called before another run begins
    report: Callable[[ActiveRun], None]  # writes the reports of a run that has ended
    broken: Callable[[BaseException, str], Problem]  # reports a fault, with where it happened
    jobs: int = 1
    fail_fast: bool = False
    says_yes: bool = False


UntilReady: TypeAlias = Callable[[Stop], Sequence[Problem] | None]
"""Waits for sites: None if runs may begin; else why not, which is nothing after a signal."""


class Carried(Struct, kw_only=True):
    """What became of the runs."""

    left_out: deque[PendingRun]  # those that did not begin, and might
    runs: list[ActiveRun] = field(default_factory=list)  # those that began, in this order
    trouble: UsageError | RefusedError | None = None  # why a later run could not begin
    unready: Sequence[Problem] = ()  # none began, since sites were not ready
    faults: list[Problem] = field(default_factory=list)  # after the first no run began
    halted: bool = False  # no further run was to begin: after a fault, a trouble, or with `fail_fast` a failure


def carry_all(pending: Sequence[PendingRun], options: PoolOptions) -> Carried:
    """Carry the runs out. After a signal, a fault, or with `fail_fast` a failure, no other begins; those begun go on.

    Raises `UsageError` or `RefusedError` where the first cannot begin, and no other has.
    """
    carried = Carried(left_out=deque(pending))
    pool = _Pool(options=options)
    while carried.left_out or pool.under_way:
        try:
            if not pool.go_on(carried):
                break
        except (UsageError, RefusedError):
            raise
        except Exception as fault:  # noqa: BLE001  the runs beside must not be lost by it
            pool.halt(carried, fault)
    carried.halted = pool.halted
    for run in carried.runs:  # before its result is reported, of a run that nobody waited for, too
        why = options.stop.why
        is_given_up = why is not None and run.facts.run in pool.under_way
        last = stopped(str(why), key="", t=run.active_seconds, kind=GIVEN_UP, final=True) if is_given_up else None
        run.journal.seal(last)
    for run in [run for run in carried.runs if run.facts.run in pool.under_way and not run.journal.lines]:
        carried.runs.remove(run)
        carried.left_out.append(pool.under_way.pop(run.facts.run))
    pool.unreported.extend(run for run in carried.runs if run.facts.run in pool.under_way)
    while pool.unreported:
        pool.report_next(carried)
    return carried


_News: TypeAlias = "queue.Queue[ActiveRun | str]"
"""Runs that have ended, and the ids of those that have passed before that.

No `SimpleQueue`: its `get` may wait for ever in Python 3.11 if a signal handler takes long.
"""


class _Pool(Struct, kw_only=True):
    """The runs under way, by their ids."""

    options: PoolOptions
    under_way: dict[str, PendingRun] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)  # runs that make no call any more
    unreported: deque[ActiveRun] = field(default_factory=deque)  # have ended, and their reports are not written
    halted: bool = False  # no further run may begin
    _turns: dict[str, Turns] = field(default_factory=dict)
    _answers: defaultdict[str, SharedAnswers] = field(default_factory=lambda: defaultdict(SharedAnswers))
    _waits: LockWaits = field(default_factory=LockWaits)
    _person: Person = field(default_factory=lambda: person(os.environ))
    _resumed: RunResumed = field(
        default_factory=lambda: RunResumed(t=0.0, resumed_by=person_elsewhere(os.environ), ci=ci_run(os.environ))
    )
    _news: _News = field(default_factory=queue.Queue)

    def go_on(self, carried: Carried) -> bool:
        """Begin what may begin, write reports while no run ends, and wait until a run does; False where none will."""
        while (following := self.next_to_begin(carried)) is not None:
            self.begin(following, carried)
        while self.unreported and self._news.empty():
            self.report_next(carried)
        match self.next_news(carried) if self.under_way else None:
            case None:
                return False
            case str(passed):
                self.passed.add(passed)
            case ended:
                self.end(ended, carried)
        return True

    def report_next(self, carried: Carried) -> None:
        """Write the reports of a run. A fault in them is ours, and costs no other run its own."""
        try:
            self.options.report(self.unreported.popleft())
        except Exception as fault:  # noqa: BLE001  as above
            self.halt(carried, fault)

    def halt(self, carried: Carried, fault: BaseException, *, where: str = "") -> None:
        carried.faults.append(self.options.broken(fault, where))
        self.halted = True

    def next_to_begin(self, carried: Carried) -> PendingRun | None:
        """The first run that may begin now; a run that waits lets those after it pass."""
        if not self.has_room():
            return None
        taken = {pending.lock: run for run, pending in self.under_way.items() if pending.lock is not None}
        for pending in carried.left_out:
            if pending.lock in taken:
                self._waits.hold_up(id(pending), holder=taken[pending.lock])
            elif pending.may_begin():
                return pending
        return None

    def has_room(self) -> bool:
        jobs = self.options.jobs
        is_full = len(self.under_way) - min(len(self.passed), jobs) >= jobs  # a disk that hangs stops the rest
        return not (self.halted or is_full) and self.options.stop.why is None

    def begin(self, pending: PendingRun, carried: Carried) -> None:
        """Begin a run. Where that fails no further run begins, and if it is the first, the command is refused."""
        try:
            hand_over = _worker(pending.title, self._news)
            run = _begun(pending, hand_over)
        except (UsageError, RefusedError) as error:
            if not carried.runs:
                raise
            carried.trouble = error
            self.halted = True
            return
        carried.left_out.remove(pending)
        if run is None:
            return
        carried.runs.append(run)
        holder = self._waits.begin(run.facts.run, title=pending.title)
        if pending.lock is not None:
            run.waits += self._waits.ended(id(pending), pending.lock)
        try:
            run.journal.listeners.append(self.options.started(run))
            host = self._host(run, holder)
        except BaseException:
            hand_over.put(None)
            raise
        self.under_way[run.facts.run] = pending
        hand_over.put(partial(_carry, run, host))

    def _host(self, run: ActiveRun, holder: LockHolder) -> LocalHost:
        key = run.site.key
        if key not in self._turns:  # nobody else knows the address of a sandbox that this command serves
            self._turns[key] = Turns() if run.site.name.sandbox else Turns(partial(self.options.store.turns, key))
        answers = self._answers[run.site.account_key]
        if run.is_of_other_account:
            answers = SharedAnswers(is_of_other_account=True)
        return LocalHost(
            caller=SharingCaller(run.site.client, answers),
            journal=run.journal,
            stop=self.options.stop,
            turn=Turn(self._turns[key], holder, settle=run.plan.times.settle),
            ask=partial(self._ask, holder.job),
            judgement=run.judgement,
            person=self._person,
            resumed=self._resumed,
            says_yes=self.options.says_yes,
            waits=run.waits,
            owned=run.store.owned_rows(run.facts.run, site=key, settle=run.plan.times.settle, is_new=not run.earlier),
            lets_in=run.lets_in,
            passed=partial(self._news.put, run.facts.run) if self.options.jobs > 1 else lambda: None,
        )

    def _ask(self, title: str, ask: Ask, stop: Stop, seconds: float | None) -> bool | None:
        """Whoever answers sees whose question it is: of several runs, and of one at the wrong target."""
        return self.options.ask(replace(ask, text=f"{title}, {ask.key}: {ask.text}"), stop, seconds)

    def locks_waited_for(self, carried: Carried) -> list[str]:
        """The locks that runs wait for, and runs under way have."""
        if not self.has_room():
            return []
        return [run.lock.name for run in carried.left_out if run.lock is not None]

    def next_news(self, carried: Carried) -> ActiveRun | str | None:
        """The next run that ends, or the id of a run that has passed; None where nobody waits any longer."""
        while not self.options.stop.given_up:
            if not carried.faults:  # which may be a fault of `look`
                self.options.look(self.locks_waited_for(carried))
            try:
                return self._news.get(timeout=_POLL)
            except queue.Empty:
                if self.options.stop.is_over(since=_MOMENT):
                    self.options.stop.given_up = True
        return None

    def end(self, run: ActiveRun, carried: Carried) -> None:
        """The run has ended. A run that could not even begin is refused as if there were no thread for it."""
        del self.under_way[run.facts.run]
        self.passed.discard(run.facts.run)
        if isinstance(run.fault, ForgottenError | MisfitError):
            self._refuse(run, carried, _beyond_replay(run.fault))
            return
        try:
            self.options.ended(run)
        finally:
            self._close(run, carried)
            self.unreported.append(run)

    def _close(self, run: ActiveRun, carried: Carried) -> None:
        if isinstance(run.fault, StoreError):
            if run.sent_nothing:
                self._refuse(run, carried, unwritable(run.store, run.fault))
                return
        elif run.fault is not None:
            self.halt(carried, run.fault, where=f" in {run_title(run.result)}")
        run.journal.close()
        self.halted = self.halted or (self.options.fail_fast and run.result.status is not RunStatus.PASSED)

    def _refuse(self, run: ActiveRun, carried: Carried, why: UsageError) -> None:
        """Leave out a run that sent nothing, and begin no other. Where no other has begun, the command is refused."""
        carried.runs = [other for other in carried.runs if other is not run]
        if not carried.runs:
            raise why from run.fault
        carried.trouble = why
        self.halted = True


def _beyond_replay(fault: ForgottenError | MisfitError) -> UsageError:
    """An answer that the run needs was not stored, or another program began it. Nothing has been sent."""
    message, hint = f"the run cannot go on: {fault}", "nothing was sent; "
    if isinstance(fault, MisfitError):
        message += "; the program that wrote its events carried it out in another way"
        hint += "resume it with the program that began it; or "
    hint += "`runner show` says what the run has done so far, and a person has to do the rest"
    if isinstance(fault, ForgottenError):
        hint += ", or begins it anew with `runner run`, which starts all of its steps again"
    return UsageError(Problem(code="E156", message=message, hint=hint))


_HandOver: TypeAlias = "queue.SimpleQueue[Callable[[], ActiveRun] | None]"


def _worker(title: str, news: _News) -> _HandOver:
    """A thread for the run that it gets. Raises `UsageError` where no thread can be started."""
    handed: _HandOver = queue.SimpleQueue()

    def work() -> None:
        if (carry := handed.get()) is not None:
            news.put(carry())

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
        run.unused_verdicts = host.judging.unused
    return run
