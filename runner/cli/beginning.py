"""How a run begins: its plan made, its folder and its journal with it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import uuid_utils

from runner.cli.prepared import RunSpec
from runner.engine.scope import RunFacts
from runner.foundation.git import commit_of
from runner.hosts.judgement import Judgement
from runner.planning.plan import ATTEMPT_SECONDS, Plan, plan
from runner.project.sites import ReadySite, Sites
from runner.runs import run_folders, snapshot
from runner.runs.events import CallSent, Line, Waited
from runner.runs.journal import Journal, JournalError, utc_now
from runner.runs.result import RunResult, fold
from runner.secrets.redact import Secrets
from runner.version import VERSION


@dataclass(slots=True, kw_only=True)
class Run:
    """One run under way or ended.

    `earlier` is what its journal held before this command; `lets_in` tells whether the site does, before the run goes
    on. `fault` is what broke in the thread that carries it;
    `unused_verdicts` are the keys of rows that were settled without a person's word on them.
    """

    plan: Plan
    facts: RunFacts
    journal: Journal
    site: ReadySite
    judgement: Judgement = field(default_factory=Judgement)
    earlier: tuple[Line, ...] = ()
    lets_in: Callable[[], bool] = lambda: True
    fault: BaseException | None = None
    unused_verdicts: tuple[str, ...] = ()

    @property
    def result(self) -> RunResult:
        """How the run ended, or stands, as its events tell."""
        return fold(self.journal.lines, run=self.facts.id)

    @property
    def active_seconds(self) -> float:
        """The active time of a run that is under way: that of its events, and what has passed since the last one."""
        told = max((getattr(line.event, "t", 0.0) for line in self.journal.lines), default=0.0)
        last = self.journal.lines[-1] if self.journal.lines else None
        if last is None or (isinstance(last.event, Waited) and last.event.seconds is None):
            return told
        return told + _seconds_since(last.at)

    @property
    def sent_nothing(self) -> bool:
        return not any(isinstance(line.event, CallSent) for line in self.journal.lines)


def _seconds_since(at: str) -> float:
    """By the wall clock, which may have been set back meanwhile."""
    return max(0.0, (datetime.fromisoformat(utc_now()) - datetime.fromisoformat(at)).total_seconds())


def begun(prepared: RunSpec, sites: Sites, *, root: Path, alone: bool, judgement: Judgement) -> Run:
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
    target = prepared.target
    made = replace(
        made,
        alone=alone,
        timeout=target.timeout or ATTEMPT_SECONDS,
        settle=target.settle,
        elements=prepared.elements,
    )
    folder = Path(prepared.job.file).absolute().parent
    facts = RunFacts(id=str(uuid_utils.uuid7()), started_at=utc_now(), engine=VERSION, commit=commit_of(folder))
    try:
        journal = Journal(root / facts.id, secrets, now=utc_now)
        journal.keep(run_folders.PLAN, snapshot.written(made, key=os.urandom(32).hex()))
    except JournalError as error:
        raise run_folders.unwritable(root, str(error)) from error
    return Run(plan=made, facts=facts, journal=journal, site=site, judgement=judgement)
