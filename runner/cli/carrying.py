"""Carrying prepared runs out: each in a thread of its own, while the main thread listens for signals.

A signal handler in the thread that reads from a site would have to wait for the site.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import uuid_utils

from runner import runs
from runner.cli.preparing import Prepared
from runner.engine.scope import RunFacts
from runner.events import CallSent, Line
from runner.git import commit_of
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.journal import Journal, JournalError, utc_now
from runner.plan import Plan, kept, plan
from runner.problems import Problem, UsageError
from runner.result import RunResult, fold
from runner.secrets.redact import Secrets
from runner.sites import ReadySite
from runner.values import Json, canonical
from runner.version import VERSION


@dataclass(slots=True, kw_only=True)
class Run:
    """One run that is about to begin, under way or ended. `fault` is what broke in the thread that carries it."""

    plan: Plan
    facts: RunFacts
    journal: Journal
    site: ReadySite
    fault: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def result(self) -> RunResult:
        """How the run ended, or stands, as its events tell."""
        return fold(self.journal.lines, run=self.facts.id)


def begin(prepared: Prepared, site: ReadySite, *, root: Path) -> Run:
    """Make the run's folder and keep its plan in it. Raises `UsageError` where it cannot; nothing was sent then."""
    secrets = Secrets()
    site.hide_in(secrets)
    made = plan(prepared.job, source=prepared.source, inputs=prepared.inputs, target=site.name, secrets=secrets)
    facts = RunFacts(
        id=str(uuid_utils.uuid7()),
        started_at=utc_now(),
        engine=VERSION,
        commit=commit_of(Path(prepared.job.file).absolute().parent),
    )
    try:
        journal = Journal(root / facts.id, secrets, now=utc_now)
        journal.keep(runs.PLAN, canonical(secrets.cut(kept(made))) + "\n")
    except JournalError as error:
        raise runs.unwritable(root, str(error)) from error
    return Run(plan=made, facts=facts, journal=journal, site=site)


def carry(run: Run, *, stop: Stop, given_up: threading.Event, listener: Callable[[Line], None]) -> None:
    """Carry a run out to its end, or until nobody waits any longer.

    Raises `UsageError` where its journal broke before the first call, and whatever else broke as it is.
    A journal that broke later ends the run where it stands, and its result says so.
    """
    run.journal.listener = listener
    thread = threading.Thread(target=_work, args=(run, stop), name=f"run {run.plan.job.name}", daemon=True)
    thread.start()
    while not run.ended.wait(0.5) and not given_up.is_set():
        pass  # a wait without an end would not let Windows deliver a signal
    if isinstance(run.fault, JournalError):
        if not any(isinstance(line.event, CallSent) for line in run.journal.lines):
            raise runs.unwritable(run.journal.folder.parent, str(run.fault)) from run.fault
    elif run.fault is not None:
        raise run.fault


def ask_nobody(text: str) -> Json:
    """There are no questions in the language yet."""
    raise UsageError(Problem(code="E109", message=f"nobody can be asked: {text}"))


def _work(run: Run, stop: Stop) -> None:
    try:
        LocalHost(caller=run.site.client, journal=run.journal, stop=stop, ask=ask_nobody).carry(run.plan, run.facts)
    except BaseException as fault:  # noqa: BLE001  handed to the main thread, which raises it
        run.fault = fault
    finally:
        run.ended.set()
