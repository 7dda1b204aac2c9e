"""A run of this command: begun, with its plan stored, and how far it is by its events."""

import os
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path

import uuid_utils
from msgspec import Struct, field
from msgspec.structs import replace

from runner.execution.run_spec import RunSpec
from runner.foundation.git import Checkout, checkout_of
from runner.foundation.trace_context import traceparent
from runner.foundation.values import Json
from runner.hosts.judgement import Judgement
from runner.planning import snapshot
from runner.planning.plan import Plan
from runner.project.ci_run import ci_run
from runner.project.sites import ReadySite, Sites
from runner.reports.reported import ReportedRun
from runner.runs.events import CallSent, Line, RunFacts, Waited, time_of
from runner.runs.evidence import ApplyOrigin, Starter
from runner.runs.journal import Journal, utc_now
from runner.runs.result import Progress, RunResult, fold
from runner.runs.store import LocalRunStore, Part, RunStore
from runner.runs.stored_runs import writing
from runner.secrets.redact import Secrets
from runner.version import VERSION

_LONGEST = 100  # characters of an input that a command is printed with


class ActiveRun(Struct, kw_only=True):
    """A run that is under way, or has ended in this command."""

    store: RunStore
    plan: Plan
    facts: RunFacts
    journal: Journal
    site: ReadySite
    judgement: Judgement = field(default_factory=Judgement)
    progress: Progress = field(default_factory=Progress)  # belongs to who listens to the journal
    waits: tuple[Waited, ...] = ()  # for its lock
    earlier: tuple[Line, ...] = ()  # what the journal held before this command
    lets_in: Callable[[], bool] = lambda: True  # whether the site accepts us, before the run is resumed
    fault: BaseException | None = None  # what broke in its thread
    unused_verdicts: tuple[str, ...] = ()  # keys of rows that were settled without their verdict
    in_reports: RunResult | None = None  # the result that the stored reports have
    is_of_other_account: bool = False  # its calls were made by another account than now
    _folded: tuple[int, RunResult] | None = None

    def __post_init__(self) -> None:
        self.progress.store = self.store.name

    @property
    def result(self) -> RunResult:
        """How the run ended, or how far it is, by its events."""
        lines = self.journal.lines
        count = len(lines)
        if self._folded is None or self._folded[0] != count:
            is_known = count > 0 and self.progress.head == lines[count - 1].sha256
            if is_known:
                result = self.progress.result()
            else:
                result = fold(islice(lines, count), run=self.facts.run, store=self.store.name)
            self._folded = (count, result)
        return self._folded[1]

    @property
    def reported(self) -> ReportedRun:
        result = self.result
        stored_in = self.store if self.in_reports is result else None
        return ReportedRun(result=result, lines=self.journal.lines, stored_in=stored_in)

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


class RunOrigin(Struct, frozen=True, kw_only=True):
    """Where a new run comes from."""

    command: str  # an id that all runs of the command share
    run: str | None = None  # its own id, if known already
    rerun_of: str | None = None  # the run that it repeats
    applied: ApplyOrigin | None = None  # the `apply` that ordered it
    begun_by: Starter
    targets_file: Path | None = None  # that the command names


def begin(
    spec: RunSpec,
    sites: Sites,
    store: LocalRunStore,
    *,
    alone: bool,
    judgement: Judgement,
    origin: RunOrigin,
    durable: bool = False,
) -> ActiveRun:
    """Store a new run with its plan, where it is `durable` before anything follows. Raises `UsageError`."""
    site = sites.of(spec.target)
    secrets = site.hide_in(Secrets())
    made = replace(spec.plan(site.name, secrets), alone=alone)
    facts = _facts(spec, site, origin)
    with writing(store):
        journal = Journal(store.create(facts.run), secrets, now=utc_now)
        store.put(facts.run, Part.PLAN, snapshot.snapshot_text(made, key=os.urandom(32).hex()))
        if durable:
            journal.sync_run()
    return ActiveRun(store=store, plan=made, facts=facts, journal=journal, site=site, judgement=judgement)


def _facts(spec: RunSpec, site: ReadySite, origin: RunOrigin) -> RunFacts:
    checkout = _checkout(Path(spec.job.file).absolute().parent, command=origin.command)
    return RunFacts(
        run=origin.run or new_id(),
        started_at=utc_now(),
        engine=VERSION,
        commit=checkout.commit,
        dirty=checkout.dirty,
        command=origin.command,
        ci=ci_run(os.environ),
        access=site.access,
        traceparent=traceparent(os.environ),
        rerun_of=origin.rerun_of,
        applied=origin.applied,
        begun_by=origin.begun_by,
        variables=dict(spec.variables),
        case_secrets=spec.case_secrets,
        targets_file=None if origin.targets_file is None else str(origin.targets_file),
        given={name: _as_typed(text, spec.inputs[name]) for name, text in spec.inputs_as_given().items()},
    )


def _as_typed(text: str, value: Json) -> str:
    """`text` where a command can hold it. A short secret within a list or record is cut out of values, not of text."""
    return "@FILE" if len(text) > _LONGEST or isinstance(value, list | dict) else text


@lru_cache(maxsize=100)
def _checkout(folder: Path, *, command: str) -> Checkout:
    """The checkout when the `command` begins its first run in the folder, whose files it has read before."""
    del command
    return checkout_of(folder)
