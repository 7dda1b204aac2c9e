"""Carrying runs out: each in a thread of its own, up to `jobs` at once, while the main thread listens.

A signal handler in the thread that reads from a site would have to wait for the site. Runs that go on side by side are
told whole, one after the other, as they end. Runs that name the same lock wait for one another.
"""

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from runner.cli.beginning import Run
from runner.engine.effects import Ask
from runner.foundation import threads
from runner.foundation.problems import Problem, UsageError
from runner.hosts.families import KnownFamilies, WithFamilies
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.runs import run_folders
from runner.runs.events import GIVEN_UP, AttemptFailed, Line, RunStatus, stopped
from runner.runs.journal import JournalError
from runner.runs.locks import Claim
from runner.runs.owned_rows import OwnedRows

_MOMENT = 1.0
"""Seconds after the grace in which a run may still end by itself, with its last events."""

_LOOK = 0.2
"""Seconds between two looks at the clock, while no run ends. A wait without an end would let Windows hear no signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRun:
    """A run that is to begin. `begin` raises `UsageError` where it cannot be written down."""

    title: str
    lock: Claim | None
    begin: Callable[[], Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """How runs are carried out. `ask` puts a question to a person, within seconds; None where no answer came in time.

    `look` is called again and again while runs are under way. `given_up` is set where nobody waits any longer.
    `started` is told of each run as it begins and gives who is to hear its events; `ended` is told when it has ended.
    """

    stop: Stop
    given_up: threading.Event
    ask: Callable[[Ask, Stop, float | None], bool | None]
    look: Callable[[], None] = lambda: None
    started: Callable[[Run], Callable[[Line], None]]
    ended: Callable[[Run], None]
    jobs: int = 1
    fail_fast: bool = False


@dataclass(slots=True, kw_only=True)
class Carried:
    """What became of the runs: those that began, in the order in which they did, and those that did not.

    `trouble` is why a later one could not begin. `is_unready`: none did, since a site was not ready.
    """

    left_out: deque[PendingRun]
    runs: list[Run] = field(default_factory=list)
    trouble: UsageError | None = None
    is_unready: bool = False


def carry_all(waiting: Sequence[PendingRun], manner: PoolOptions) -> Carried:
    """Carry the runs out, up to `jobs` at once, in their order.

    A signal, or with `fail_fast` the first that did not pass, lets no further one begin. Raises `UsageError` where the
    first cannot be written down, and a fault of ours as it is.
    """
    carried = Carried(left_out=deque(waiting))
    with closing(_Pool(manner=manner)) as pool:
        while carried.left_out or pool.under_way:
            while (one := pool.next_to_begin(carried)) is not None:
                pool.begin(one, carried)
            run = pool.next_ended() if pool.under_way else None
            if run is None:
                break
            pool.end(run)
    for run in carried.runs:  # before its result is told, of a run that nobody waited for, too
        is_given_up = manner.stop.why is not None and run.facts.id in pool.under_way
        run.journal.seal(_given_up(run, str(manner.stop.why)) if is_given_up else None)
    return carried


def _given_up(run: Run, why: str) -> AttemptFailed:
    """What is written last of a run that was told to stop and whose end nobody waited for."""
    return stopped(why, key="", t=run.active_seconds, kind=GIVEN_UP, final=True)


@dataclass(slots=True, kw_only=True)
class _Pool:
    """The runs under way, by their ids with the locks that they name. `halted`: no further one may begin."""

    manner: PoolOptions
    under_way: dict[str, Claim | None] = field(default_factory=dict)
    halted: bool = False
    _turns: defaultdict[str, Turns] = field(default_factory=lambda: defaultdict(Turns))
    _families: defaultdict[str, KnownFamilies] = field(default_factory=lambda: defaultdict(KnownFamilies))
    _owned: dict[Path, OwnedRows] = field(default_factory=dict)
    _ended: "queue.SimpleQueue[Run]" = field(default_factory=queue.SimpleQueue)

    def next_to_begin(self, carried: Carried) -> PendingRun | None:
        """The first that may begin now; one whose lock another run has lets those behind it pass."""
        if self.halted or self.manner.stop.why is not None or len(self.under_way) >= self.manner.jobs:
            return None
        taken = {lock for lock in self.under_way.values() if lock is not None}
        return next((one for one in carried.left_out if one.lock not in taken), None)

    def begin(self, one: PendingRun, carried: Carried) -> None:
        """Begin a run. One that has no thread, or cannot be written down, ends the beginning, and refuses the command
        if it is the first.
        """
        try:
            hand_over = _worker(one.title, self._ended)
            run = _begun(one, hand_over)
        except UsageError as error:
            if not carried.runs:
                raise
            carried.trouble = error
            self.halted = True
            return
        carried.left_out.remove(one)
        carried.runs.append(run)
        self.under_way[run.facts.id] = one.lock
        turn = Turn(self._turns[run.site.key])
        families = self._families[run.site.key]
        host = _host(run, self.manner, turn=turn, families=families, owned=self._owned_by(run))
        hand_over.put(partial(_carry, run, host))

    def _owned_by(self, run: Run) -> OwnedRows:
        """What is known of the rows of all runs in the folder of `run`."""
        root = run.journal.folder.parent
        if root not in self._owned:
            self._owned[root] = OwnedRows(run_folders.owned_rows_file(root))
        return self._owned[root]

    def close(self) -> None:
        for owned in self._owned.values():
            owned.close()

    def next_ended(self) -> Run | None:
        """The next run that ends; None where nobody waits any longer: when the grace is over, nobody does."""
        while not self.manner.given_up.is_set():
            self.manner.look()
            try:
                return self._ended.get(timeout=_LOOK)
            except queue.Empty:
                if self.manner.stop.is_over(since=_MOMENT):
                    self.manner.given_up.set()
        return None

    def end(self, run: Run) -> None:
        del self.under_way[run.facts.id]
        if isinstance(run.fault, ForgottenError):
            raise _forgotten(run.fault) from run.fault
        self.manner.ended(run)
        if isinstance(run.fault, JournalError):
            if run.sent_nothing:
                raise run_folders.unwritable(run.journal.folder.parent, str(run.fault)) from run.fault
        elif run.fault is not None:
            raise run.fault
        run.journal.close()
        self.halted = self.halted or (self.manner.fail_fast and run.result.status is not RunStatus.PASSED)


def _forgotten(fault: ForgottenError) -> UsageError:
    """What the run was answered, and needs again, was not written down. Nothing has been sent."""
    hint = "nothing was sent; what the run has done so far stands in `runner show`, and a person has to do the rest"
    return UsageError(Problem(code="E156", message=f"the run cannot go on: {fault}", hint=hint))


_HandOver: TypeAlias = "queue.SimpleQueue[Callable[[], Run] | None]"


def _worker(title: str, ended: "queue.SimpleQueue[Run]") -> _HandOver:
    """A thread that waits for the run that it is to carry out, before anything of the run is written down. Raises
    `UsageError` where there is none to be had.
    """
    handed: _HandOver = queue.SimpleQueue()

    def work() -> None:
        if (carry := handed.get()) is not None:
            ended.put(carry())

    threads.start(work, name=f"run {title}")
    return handed


def _begun(one: PendingRun, hand_over: _HandOver) -> Run:
    try:
        return one.begin()
    except BaseException:
        hand_over.put(None)
        raise


def _host(run: Run, manner: PoolOptions, *, turn: Turn, families: KnownFamilies, owned: OwnedRows) -> LocalHost:
    run.journal.listener = manner.started(run)
    return LocalHost(
        caller=WithFamilies(run.site.client, families),
        journal=run.journal,
        stop=manner.stop,
        turn=turn,
        ask=manner.ask,
        judgement=run.judgement,
        owned=owned.of(run=run.facts.id, site=run.site.key, settle=run.plan.settle),
        lets_in=run.lets_in,
    )


def _carry(run: Run, host: LocalHost) -> Run:
    """Carry the run out; what breaks is handed to the main thread, which raises it."""
    try:
        host.carry(run.plan, run.facts, earlier=run.earlier)
    except BaseException as fault:  # noqa: BLE001  as above
        run.fault = fault
    finally:
        run.unused_verdicts = host.unused_verdicts
    return run
