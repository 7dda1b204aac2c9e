"""Carrying prepared runs out: each in a thread of its own, up to `jobs` at once, while the main thread listens.

A signal handler in the thread that reads from a site would have to wait for the site. Runs that go on side by side are
told whole, one after the other, as they end.
"""

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from pathlib import Path

import uuid_utils

from runner import runs
from runner.cli.prepared import Prepared
from runner.engine.scope import RunFacts
from runner.events import CallSent, Line, RunStatus, TargetName
from runner.git import commit_of
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.journal import Journal, JournalError, utc_now
from runner.plan import ATTEMPT_SECONDS, Plan, kept, plan
from runner.problems import UsageError
from runner.result import RunResult, fold
from runner.secrets.redact import Secrets
from runner.sites import ReadySite, Sites
from runner.values import canonical
from runner.version import VERSION


@dataclass(slots=True, kw_only=True)
class Run:
    """One run under way or ended. `fault` is what broke in the thread that carries it."""

    plan: Plan
    facts: RunFacts
    journal: Journal
    site: ReadySite
    fault: BaseException | None = None

    @property
    def result(self) -> RunResult:
        """How the run ended, or stands, as its events tell."""
        return fold(self.journal.lines, run=self.facts.id)

    @property
    def sent_nothing(self) -> bool:
        return not any(isinstance(line.event, CallSent) for line in self.journal.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How runs are carried out. `ask` puts a question to a person; None where the stop was told before an answer came.

    `started` is told of each run as it begins and gives who is to hear its events; `ended` is told when it has ended.
    """

    root: Path
    stop: Stop
    given_up: threading.Event
    ask: Callable[[str, Stop], bool | None]
    started: Callable[[Run], Callable[[Line], None]]
    ended: Callable[[Run], None]
    jobs: int = 1
    fail_fast: bool = False


@dataclass(slots=True, kw_only=True)
class Carried:
    """What became of the prepared runs: those that began, in the order in which they did, and those that did not.

    `trouble` is why a later one could not begin.
    """

    left_out: deque[Prepared]
    runs: list[Run] = field(default_factory=list)
    trouble: UsageError | None = None


def carry_all(prepared: Sequence[Prepared], sites: Sites, manner: Manner) -> Carried:
    """Carry the runs out, up to `jobs` at once, in their order.

    A signal, or with `fail_fast` the first that did not pass, lets no further one begin. Raises `UsageError` where the
    first cannot be written down, and a fault of ours as it is.
    """
    carried = Carried(left_out=deque(prepared))
    pool = _Pool(sites=sites, manner=manner, alone=manner.jobs == 1 or len(prepared) == 1)
    while carried.left_out or pool.under_way:
        while carried.left_out and pool.under_way < manner.jobs and pool.goes_on:
            pool.begin(carried)
        run = pool.next_ended() if pool.under_way else None
        if run is None:
            break
        pool.end(run)
    for run in carried.runs:
        run.journal.seal()  # of a run that nobody waited for, too, before its result is told
    return carried


@dataclass(slots=True, kw_only=True)
class _Pool:
    """The runs under way. `goes_on` turns false when no further one may begin."""

    sites: Sites
    manner: Manner
    alone: bool
    under_way: int = 0
    halted: bool = False
    _turns: defaultdict[TargetName, Turns] = field(default_factory=lambda: defaultdict(Turns))
    _ended: "queue.SimpleQueue[Run]" = field(default_factory=queue.SimpleQueue)

    @property
    def goes_on(self) -> bool:
        return not self.halted and self.manner.stop.why is None

    def begin(self, carried: Carried) -> None:
        """Begin the next run. One that cannot be written down ends the beginning, and refuses the command if first."""
        try:
            run = begun(carried.left_out[0], self.sites, root=self.manner.root, alone=self.alone)
        except UsageError as error:
            if not carried.runs:
                raise
            carried.trouble = error
            self.halted = True
            return
        carried.left_out.popleft()
        carried.runs.append(run)
        self.under_way += 1
        _start(run, self.manner, turn=Turn(self._turns[run.site.name]), ended=self._ended)

    def next_ended(self) -> Run | None:
        """The next run that ends; None where nobody waits any longer.

        A wait without an end would not let Windows deliver a signal.
        """
        while not self.manner.given_up.is_set():
            try:
                return self._ended.get(timeout=0.5)
            except queue.Empty:
                continue
        return None

    def end(self, run: Run) -> None:
        self.under_way -= 1
        self.manner.ended(run)
        if isinstance(run.fault, JournalError):
            if run.sent_nothing:
                raise runs.unwritable(run.journal.folder.parent, str(run.fault)) from run.fault
        elif run.fault is not None:
            raise run.fault
        run.journal.close()
        self.halted = self.halted or (self.manner.fail_fast and run.result.status is not RunStatus.PASSED)


def begun(prepared: Prepared, sites: Sites, *, root: Path, alone: bool) -> Run:
    """Make the run's folder and keep its plan in it. Raises `UsageError` where it cannot."""
    site = sites.of(prepared.target)
    secrets = Secrets()
    site.hide_in(secrets)
    made = plan(
        prepared.job,
        sources=prepared.sources,
        inputs=prepared.inputs,
        target=site.name,
        secrets=secrets,
        case=prepared.chosen_case,
    )
    made = replaced(made, alone=alone, timeout=prepared.target.timeout or ATTEMPT_SECONDS)
    folder = Path(prepared.job.file).absolute().parent
    facts = RunFacts(id=str(uuid_utils.uuid7()), started_at=utc_now(), engine=VERSION, commit=commit_of(folder))
    try:
        journal = Journal(root / facts.id, secrets, now=utc_now)
        journal.keep(runs.PLAN, canonical(secrets.cut(kept(made))) + "\n")
    except JournalError as error:
        raise runs.unwritable(root, str(error)) from error
    return Run(plan=made, facts=facts, journal=journal, site=site)


def _start(run: Run, manner: Manner, *, turn: Turn, ended: "queue.SimpleQueue[Run]") -> None:
    run.journal.listener = manner.started(run)
    host = LocalHost(caller=run.site.client, journal=run.journal, stop=manner.stop, turn=turn, ask=manner.ask)

    def work() -> None:
        try:
            host.carry(run.plan, run.facts)
        except BaseException as fault:  # noqa: BLE001  handed to the main thread, which raises it
            run.fault = fault
        finally:
            ended.put(run)

    threading.Thread(target=work, name=f"run {run.plan.job.name}", daemon=True).start()
