"""A stored run, made ready to resume: its plan is opened with new secrets, target and credentials.

What would make it another run is refused before anything is sent: other secrets, another place or version of the
program, changed events, a verdict that settles nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from runner.execution.active_run import ActiveRun
from runner.execution.run_spec import GivenAnew, RunSpec
from runner.execution.secret_inputs import INPUT, given_text, with_those_of_case
from runner.execution.stored_plans import PlanLoader, fixed_inputs
from runner.foundation.fingerprints import Fingerprints, differing
from runner.foundation.problems import Problem, RefusedError, UsageError, errors_in
from runner.foundation.values import canonical, canonical_text, record
from runner.hosts.judgement import Judgement
from runner.job.inputs import VARIABLE, Given
from runner.job.model import Job
from runner.planning import snapshot
from runner.planning.plan import Plan
from runner.planning.plan_file import StoredPlan
from runner.project.sites import ReadySite, Sites
from runner.reading.files import display_path, read_bytes
from runner.reports.next_steps import GIVEN_AGAIN, verb_command
from runner.reports.safe import clean
from runner.runs.events import AttemptFailed, RunStarted, encode
from runner.runs.facts import facts
from runner.runs.journal import Journal, utc_now
from runner.runs.store import Part, RunLockedError
from runner.runs.stored_runs import StoredRun, writing
from runner.secrets.holes import MARK, Hole, TextPart, put_together, taken_apart
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget
from runner.version import REPLAY, VERSION

ABOUT_FILES = ("E144", "E145", "E146", "E147", "E148", "E149", "E17")
"""Problems of a job's files or of what the site has: both may have changed since the run began."""


class RunBusyError(RefusedError):
    """Another process was writing the run's events just now."""


class ResumableRun(Struct, frozen=True, kw_only=True):
    stored: StoredRun
    began: RunStarted
    snapshot: snapshot.PlanSnapshot
    spec: RunSpec
    anew: GivenAnew


def check(run: StoredRun) -> RunStarted:
    """How the run began. Raises where nobody may resume it."""
    if run.is_running:
        raise _busy(run)
    if run.flaw is not None:
        raise UsageError(Problem(code="E155", message=run.damage, hint=run.left_to_do))
    first = run.lines[0].event if run.lines else None
    if not isinstance(first, RunStarted):
        message = f"run {run.id} broke off before it began: nothing was sent, and there is nothing to resume"
        raise UsageError(Problem(code="E156", message=message, hint=GIVEN_AGAIN))
    return first


def load_plan(run: StoredRun, began: RunStarted, anew: GivenAnew) -> ResumableRun:
    """Open the run's plan. Raises `UsageError` with all that is in the way."""
    if began.replay != REPLAY:
        theirs, ours = f"{began.engine} (replay version {began.replay})", f"{VERSION} (replay version {REPLAY})"
        message = f"version {theirs} began this run, and version {ours} would carry it out otherwise"
        hint = "resume it with the build of this version that began it"
        if began.engine != VERSION:
            hint = f"resume it with that version: `pip install creatio-runner=={began.engine}`"
        raise UsageError(Problem(code="E156", message=message, hint=hint))
    return open_plan(run, began, anew)


def open_plan(run: StoredRun, began: RunStarted, anew: GivenAnew) -> ResumableRun:
    """Open the plan of a run of any version. Raises `UsageError` with all problems."""
    found = snapshot.read(run.store, run.id)
    if isinstance(found, Problem):
        raise UsageError(found)
    anew = with_those_of_case(run.result, found, anew)
    spec = _spec(_readable(found, anew.inputs), anew, engine=began.engine)
    return ResumableRun(stored=run, began=began, snapshot=found, spec=spec, anew=anew)


def each_of(
    runs: Sequence[StoredRun],
    began: Sequence[RunStarted],
    anew: GivenAnew,
    *,
    load: Callable[[StoredRun, RunStarted, GivenAnew], ResumableRun],
) -> tuple[list[ResumableRun], list[Problem]]:
    """The plans of several runs, and the problems of those that cannot be opened."""
    found: list[ResumableRun] = []
    problems: list[Problem] = []
    for run, first in zip(runs, began, strict=True):
        try:
            found.append(load(run, first, anew))
        except UsageError as error:
            problems += error.problems
    return found, problems


def job_of(run: StoredRun) -> Job | None:
    """The job of a run as its plan has it, without target and secrets; None where it cannot be read so."""
    found = snapshot.read(run.store, run.id)
    if isinstance(found, Problem):
        return None
    plans = [_readable(found, {})]
    loader = PlanLoader(plans=plans, targets_file=None, known={}, changes=lambda *_: (), has_passed=True)
    return next((job for job, _ in loader.jobs()), None)


def _readable(found: snapshot.PlanSnapshot, given: Mapping[str, Given]) -> StoredPlan:
    """The plan with a text in place of every secret, so that its YAML shows which secrets are missing."""
    plan = found.plan
    if not any(MARK in text for text in _texts(plan)):
        return plan
    known = Secrets()
    for name in found.fingerprints.of:
        value = given_text(name.removeprefix(INPUT), given) if name.startswith(INPUT) else None
        known.add(name, value or "")
    sources = {name: "".join(_filled(part, known) for part in taken_apart(text)) for name, text in plan.sources.items()}
    with suppress(LookupError):  # a fingerprint that is missing is a plan that was changed, which its digest shows
        plan = replace(plan, inputs=record(known.fill(plan.inputs)))
    return replace(plan, sources=sources)


def _texts(plan: StoredPlan) -> Iterator[str]:
    """What may have holes where a secret was."""
    return chain(plan.sources.values(), [canonical({**plan.inputs})])


def lacks_secret(run: ResumableRun) -> bool:
    """Whether a file or input of the run held a secret that was not given anew: it is not whole."""
    parts = (part for text in _texts(run.snapshot.plan) for part in taken_apart(text))
    names = {part.name for part in parts if isinstance(part, Hole)}
    values = {name: given_text(name.removeprefix(INPUT), run.anew.inputs) for name in names if name.startswith(INPUT)}
    given = {name: value for name, value in values.items() if value is not None}
    return names != given.keys() or bool(differing(run.snapshot.fingerprints, given))


def has_changed(run: ResumableRun) -> Problem | None:
    """That the plan, which lacks no secret, is not that with which the run began, if so."""
    made = run.spec.plan(run.snapshot.plan.target, Secrets())
    return None if made.digest == run.began.digest else _unfit(run)


def _filled(part: TextPart, known: Secrets) -> str:
    if isinstance(part, str):
        return part
    try:
        return canonical_text(known.fill(put_together([part], guarded=False)))
    except LookupError:
        return "secret"


def _spec(stored: StoredPlan, anew: GivenAnew, *, engine: str) -> RunSpec:
    """`engine` is the version that checked the plan. What it found right is not checked once more."""
    problems: list[Problem] = []
    loader = PlanLoader(
        plans=[stored],
        targets_file=anew.targets,
        known=anew.inputs,
        ask=anew.ask,
        changes=_changes,
        code="E156",
        has_passed=engine == VERSION,
    )
    found = loader.runs(problems)
    hint = "leave it out; another value needs a new run, which starts all of the job again"
    jobs = [(run.job, stored) for run in found]
    problems += fixed_inputs(anew.inputs, jobs, by="the run", hint=hint, others=anew.others) if found else ()
    return only_run(found, problems)


def only_run(found: Sequence[RunSpec], problems: Sequence[Problem]) -> RunSpec:
    """The run that was found. Raises `UsageError` with the problems that are in its way."""
    errors = errors_in(problems)
    if found:
        errors = [problem for problem in errors if not problem.code.startswith(ABOUT_FILES)]
    if errors or not found:
        raise UsageError(*dict.fromkeys(errors))
    return found[0]


def _changes(spec: RunSpec, stored: StoredPlan) -> Iterable[Problem]:
    """A place that is of another kind than it was."""
    if isinstance(spec.target, SandboxTarget) != stored.target.sandbox:
        yield _elsewhere(stored)


def _elsewhere(stored: StoredPlan) -> Problem:
    then = "a sandbox" if stored.target.sandbox else stored.target.url
    message = f"target `{stored.target.name}` was {then} when the run began, and is another place now"
    hint = "a run is resumed where it began: name the targets file of then with `--targets FILE`"
    return Problem(code="E156", message=message, hint=hint)


def changed_files(stored: StoredPlan) -> str | None:
    """The list of the job's files that are not what they were, or None. A file that holds a secret is passed over."""
    changed = [name for name, text in stored.sources.items() if MARK not in text and _has_changed(Path(name), text)]
    if not changed:
        return None
    return ", ".join(
        clean(display_path(path)) + ("" if path.exists() else " (not found from here)") for path in map(Path, changed)
    )


def _has_changed(path: Path, text: str) -> bool:
    try:
        return read_bytes(path).decode("utf-8-sig", "replace") != text.removeprefix("\ufeff")
    except OSError:
        return True


def resume(run: ResumableRun, sites: Sites, judgement: Judgement) -> ActiveRun:
    """The run, its journal open. Raises for another secret or place, and where somebody else has the journal."""
    then, began = run.snapshot.plan.target, run.began
    site = sites.of(run.spec.target)
    if not then.sandbox and site.name.url != then.url:
        raise UsageError(_elsewhere(run.snapshot.plan))
    secrets = site.hide_in(Secrets())
    made = _plan(run, secrets)
    journal = _reopened(run.stored, secrets)
    return ActiveRun(
        store=run.stored.store,
        plan=made,
        facts=began,
        journal=journal,
        site=site,
        judgement=judgement,
        earlier=tuple(journal.lines),
        progress=run.stored.progress,
        is_of_other_account=_is_of_other_account(run.snapshot.fingerprints, site),
    )


def _is_of_other_account(then: Fingerprints, site: ReadySite) -> bool:
    """A sandbox, and a site without a sign-in, have none."""
    known = site.credentials
    if site.name.sandbox or known is None:
        return False
    name = f"target.auth.{known.kind.keys[0]}"
    return name not in then.of or bool(differing(then, {name: known.account}))


def _plan(run: ResumableRun, secrets: Secrets) -> Plan:
    """The plan of the run. Files that held a secret are read again with it."""
    found = run.snapshot
    made = run.spec.plan(found.plan.target, secrets)
    _check_secrets(run, secrets)
    whole = snapshot.filled(found, secrets)
    if whole != found:
        made = _spec(whole.plan, run.anew, engine=run.began.engine).plan(whole.plan.target, secrets)
    if made.digest != run.began.digest:
        raise UsageError(_unfit(run))
    known = whole.plan
    return replace(made, times=found.times, alone=found.alone, elements=known.elements, versions=known.versions)


def _unfit(run: ResumableRun) -> Problem:
    stored, message = run.stored, "the run's plan does not fit its digest: it was changed after it was written"
    file = stored.store.place(stored.id, Part.PLAN)
    return Problem(code="E156", message=message, hint=snapshot.left_to_do(stored.id), file=file)


def _check_secrets(run: ResumableRun, secrets: Secrets) -> None:
    """An input must be as before. A credential may be new, unless an answer that is needed holds it."""
    others = differing(run.snapshot.fingerprints, secrets.plain)
    needed = _holes(run.stored) if others else frozenset()
    wrong = [name for name in others if name.startswith(INPUT) or name in needed]
    if wrong:
        raise UsageError(*(_other_secret(name, run.anew.inputs) for name in wrong))


def _holes(run: StoredRun) -> frozenset[str]:
    """The names of secrets that the run's events lack; sentences of failures do not count, which are never sent."""
    needed = (facts(line.event) for line in run.lines if not isinstance(line.event, AttemptFailed))
    texts = [encode(event).decode() for event in needed]
    parts = [part for text in texts if MARK in text for part in taken_apart(text)]
    return frozenset(part.name for part in parts if isinstance(part, Hole))


def _other_secret(name: str, given: Mapping[str, Given]) -> Problem:
    named = name.removeprefix(INPUT)
    message = f"secret `{clean(name)}` is not what the run began with"
    if named == name:
        hint = "what the site answered holds the secret of before, which is needed again; nothing was sent"
        return Problem(code="E157", message=message, hint=hint)
    variable = VARIABLE + named.upper()
    if named not in given and variable not in os.environ:
        message = f"secret `{clean(name)}` was not given again, and is not stored"
    hint = f"give the secret of before, with `-i {named}=@FILE` or in ${variable}; nothing was sent"
    return Problem(code="E157", message=message, hint=hint)


def _reopened(run: StoredRun, secrets: Secrets) -> Journal:
    """The journal, which must still be as it was read."""
    try:
        with writing(run.store):
            journal = Journal.reopened(run.store, run.id, secrets, now=utc_now, known=run.reading)
    except RunLockedError as error:
        raise _busy(run) from error
    if f"sha256:{journal.head}" != run.result.events:
        journal.close()
        raise _busy(run)
    return journal


def _busy(run: StoredRun) -> RunBusyError:
    silent = run.store.seconds_silent(run.id)
    if silent is not None:
        message = f"run {run.id} is under way, but its worker has been silent for {silent:.0f} s"
        target = clean(run.result.target.name)
        hint = f"nothing was sent; start a worker, and it takes the run over: `runner worker -t {target}`"
        return RunBusyError(Problem(code="E156", message=message, hint=hint))
    message = f"run {run.id} is under way: another process is writing its events"
    hint = f"nothing was sent; `{verb_command('show', run.id, run.store.name)}` shows how far it is"
    return RunBusyError(Problem(code="E156", message=message, hint=hint))
