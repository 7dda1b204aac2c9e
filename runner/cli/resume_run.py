"""A kept run, made ready to go on: its plan opened again, with secrets, target and credentials that come anew.

Whatever would make it another run than the one that began is refused here, before anything is sent: other secrets,
another place, another version of the program, events that were changed.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.beginning import Run
from runner.cli.kept import NOT_GONE_ON_WITH, StoredRun, edited
from runner.cli.opening import PlanLoader, not_secret
from runner.cli.prepared import RunSpec
from runner.engine.scope import RunFacts
from runner.foundation.fingerprints import differing
from runner.foundation.problems import Problem, RefusedError, Severity, UsageError
from runner.foundation.values import canonical
from runner.hosts.judgement import Judgement
from runner.job.input_values import VARIABLE
from runner.job.inputs import Given
from runner.planning.plan import Plan, plan
from runner.planning.plan_file import StoredPlan
from runner.project.project import called
from runner.project.sites import Sites
from runner.reading.files import read_bytes
from runner.reports.safe import clean
from runner.runs import run_folders, snapshot
from runner.runs.events import RunStarted, encode
from runner.runs.journal import Journal, JournalError, LockedError, utc_now
from runner.secrets.holes import MARK, Hole, Part, taken_apart, written
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget
from runner.version import VERSION

_OF_INPUTS = "inputs."
ABOUT_FILES = ("E14", "E17")
"""What a job's files are held against may have changed since; the run goes on with what it began with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """A run that can go on. `given` and `targets` are what the command line gives anew."""

    kept: StoredRun
    began: RunStarted
    plan: snapshot.PlanSnapshot
    prepared: RunSpec
    given: Mapping[str, Given]
    targets: Path | None


def check(run: StoredRun) -> RunStarted:
    """How the run began. Raises where nobody may go on with it, whatever else is given."""
    name = run.folder.name
    if run.going_on:
        raise _busy(name)
    if run.flaw is not None:
        raise UsageError(Problem(code="E155", message=edited(run), hint=NOT_GONE_ON_WITH))
    first = run.lines[0].event if run.lines else None
    if not isinstance(first, RunStarted):
        message = f"run {name} broke off before it began: nothing was sent, and there is nothing to go on with"
        raise UsageError(Problem(code="E156", message=message, hint="`runner run` begins a new one"))
    return first


def opened(run: StoredRun, began: RunStarted, *, given: Mapping[str, Given], targets: Path | None) -> GoingOn:
    """Open the run's plan. Raises `UsageError` with all that is in the way."""
    if began.engine != VERSION:
        message = f"version {began.engine} began this run, and version {VERSION} might carry it out otherwise"
        hint = f"go on with that version: `pip install creatio-runner=={began.engine}`"
        raise UsageError(Problem(code="E156", message=message, hint=hint))
    kept = snapshot.read(run.folder)
    if isinstance(kept, Problem):
        raise UsageError(kept)
    prepared = _prepared(_readable(kept, given), given, targets)
    return GoingOn(kept=run, began=began, plan=kept, prepared=prepared, given=given, targets=targets)


def _readable(run: snapshot.PlanSnapshot, given: Mapping[str, Given]) -> StoredPlan:
    """The plan with something in the place of every secret that its texts held: a hole can be no YAML.

    It tells which secrets are to be given; with them the texts are read once more.
    """
    if not any(MARK in text for text in run.plan.sources.values()):
        return run.plan
    known = Secrets()
    for name in run.fingerprints.of:
        value = _given(name.removeprefix(_OF_INPUTS), given) if name.startswith(_OF_INPUTS) else None
        known.add(name, value or "")
    texts = {
        name: "".join(_filled(part, known) for part in taken_apart(text)) for name, text in run.plan.sources.items()
    }
    return replace(run.plan, sources=texts)


def _given(name: str, given: Mapping[str, Given]) -> str | None:
    """An input as it is given anew, in text; what becomes of it is the job's business."""
    if name not in given:
        return os.environ.get(VARIABLE + name.upper())
    value = given[name].value
    return value if isinstance(value, str) else canonical(value)


def _filled(part: Part, known: Secrets) -> str:
    if isinstance(part, str):
        return part
    try:
        filled = known.fill(written([part], guarded=False))
    except LookupError:
        return "secret"
    return filled if isinstance(filled, str) else canonical(filled)


def _prepared(one: StoredPlan, given: Mapping[str, Given], targets: Path | None) -> RunSpec:
    problems: list[Problem] = []
    opening = PlanLoader(plans=[one], targets_file=targets, known=given, changes=_changes, code="E156")
    found = opening.runs(problems)
    hint = "`runner run` begins a new run with another value"
    fixed = not_secret(given, [run.job for run in found], by="the run", hint=hint) if found else ()
    in_the_way = [*problems, *fixed]
    if found:
        in_the_way = [one for one in in_the_way if not one.code.startswith(ABOUT_FILES)]
    errors = [problem for problem in in_the_way if problem.severity is Severity.ERROR]
    if errors or not found:
        raise UsageError(*dict.fromkeys(errors))
    return found[0]


def _changes(prepared: RunSpec, one: StoredPlan) -> Iterable[Problem]:
    """A place that is of another kind than it was."""
    if isinstance(prepared.target, SandboxTarget) != one.target.sandbox:
        yield _elsewhere(one)


def _elsewhere(one: StoredPlan) -> Problem:
    then = "a sandbox" if one.target.sandbox else one.target.url
    message = f"target `{one.target.name}` was {then} when the run began, and is another place now"
    hint = "a run goes on where it began; `--targets FILE` names the file that still says where that is"
    return Problem(code="E156", message=message, hint=hint)


def changed_files(one: StoredPlan) -> str | None:
    """The sentence on files of the job that are not what they were; None where they are. What holds a secret is passed
    over.
    """
    changed = [name for name, text in one.sources.items() if MARK not in text and _is_other(Path(name), text)]
    if not changed:
        return None
    listed = ", ".join(clean(called(Path(name))) for name in changed)
    return f"changed since the run began: {listed}; the run goes on with what it began with"


def _is_other(path: Path, text: str) -> bool:
    """Whether a file says something else now, or is gone."""
    try:
        return read_bytes(path).decode("utf-8-sig", "replace") != text.removeprefix("\ufeff")
    except OSError:
        return True


def gone_on(going_on: GoingOn, sites: Sites, judgement: Judgement) -> Run:
    """The run, with its journal open for more. Raises where a secret or the place is another one, or somebody else
    has the journal.
    """
    then, began = going_on.plan.plan.target, going_on.began
    site = sites.of(going_on.prepared.target)
    if not then.sandbox and site.name.url != then.url:
        raise UsageError(_elsewhere(going_on.plan.plan))
    secrets = Secrets()
    site.hide_in(secrets)
    made = _plan(going_on, secrets)
    facts = RunFacts(id=began.run, started_at=began.started_at, engine=began.engine, commit=began.commit)
    journal = _reopened(going_on.kept, secrets)
    earlier = tuple(journal.lines)
    return Run(plan=made, facts=facts, journal=journal, site=site, judgement=judgement, earlier=earlier)


def _plan(going_on: GoingOn, secrets: Secrets) -> Plan:
    """The plan as it was made then. Where the texts of its files held a secret, they are read again with it."""
    kept = going_on.plan
    made = _made(kept, going_on.prepared, secrets)
    _check_secrets(going_on, secrets)
    whole = snapshot.filled(kept, secrets)
    if whole != kept:
        made = _made(whole, _prepared(whole.plan, going_on.given, going_on.targets), secrets)
    if made.digest != kept.plan.digest:
        message = "the run's plan does not fit its digest: it was changed after it was written"
        hint = snapshot.left_to_do(going_on.kept.folder)
        raise UsageError(
            Problem(code="E156", message=message, hint=hint, file=str(going_on.kept.folder / run_folders.PLAN))
        )
    return replace(made, timeout=kept.attempt, settle=kept.settle, alone=kept.alone, elements=whole.plan.elements)


def _made(kept: snapshot.PlanSnapshot, prepared: RunSpec, secrets: Secrets) -> Plan:
    one = kept.plan
    return plan(
        prepared.job, sources=one.sources, inputs=prepared.inputs, target=one.target, secrets=secrets, case=one.case
    )


def _check_secrets(going_on: GoingOn, secrets: Secrets) -> None:
    """An input must be the one of before. A credential may be a new one, unless an answer that is needed holds it."""
    others = differing(going_on.plan.fingerprints, secrets.plain)
    needed = _holes(going_on.kept) if others else frozenset()
    wrong = [name for name in others if name.startswith(_OF_INPUTS) or name in needed]
    if wrong:
        raise UsageError(*(_other_secret(name, given=_was_given(name, going_on)) for name in wrong))


def _holes(run: StoredRun) -> frozenset[str]:
    """The names of the secrets that the run's events were written without."""
    texts = [encode(line.event).decode() for line in run.lines]
    parts = [part for text in texts if MARK in text for part in taken_apart(text)]
    return frozenset(part.name for part in parts if isinstance(part, Hole))


def _was_given(name: str, going_on: GoingOn) -> bool:
    named = name.removeprefix(_OF_INPUTS)
    return named in going_on.given or VARIABLE + named.upper() in os.environ


def _other_secret(name: str, *, given: bool) -> Problem:
    message = f"secret `{clean(name)}` is not the one with which the run began"
    if name.startswith(_OF_INPUTS) and not given:
        message = f"secret `{clean(name)}` was not given again, and is not kept"
    named = name.removeprefix(_OF_INPUTS)
    if named == name:
        hint = "what the site answered holds the one of before, which is needed again; nothing was sent"
    else:
        variable = f"CREATIO_RUNNER_INPUT_{named.upper()}"
        hint = f"give the one of before, with `-i {named}=@FILE` or in ${variable}; nothing was sent"
    return Problem(code="E157", message=message, hint=hint)


def _reopened(run: StoredRun, secrets: Secrets) -> Journal:
    """The journal, which must still be as it was read."""
    try:
        journal = Journal.reopened(run.folder, secrets, now=utc_now)
    except LockedError as error:
        raise _busy(run.folder.name) from error
    except JournalError as error:
        raise run_folders.unwritable(run.folder.parent, str(error)) from error
    if f"sha256:{journal.head}" != run.result.events:
        journal.close()
        raise _busy(run.folder.name)
    return journal


def _busy(name: str) -> RefusedError:
    message = f"run {name} is still going on: another process is writing its events"
    hint = f"nothing was sent; `runner show {name}` tells how far it is"
    return RefusedError(Problem(code="E156", message=message, hint=hint))
