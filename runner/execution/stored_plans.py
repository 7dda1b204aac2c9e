"""Stored plans, opened again from the texts that they hold; secrets, target and credentials come anew.

A plan in a file is carried out once, since a repeated pipeline or a second click would start everything twice. It is
claimed before its first run begins, for all folders of this user on this machine; other machines do not know of it.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runner.execution.planned_runs import PlannedRun, never_begun
from runner.execution.run_spec import AskForInputs, GivenAnew, RunSet, RunSpec, Wanted, ask_nobody, given_inputs
from runner.foundation.problems import Problem, RefusedError, Severity, UsageError, errors_in
from runner.foundation.sentences import plural
from runner.foundation.values import Json, canonical
from runner.job.inputs import Given, Origin, UnfitError, fit, secret_variables, supplied, unknown
from runner.job.model import Case, Input, Job
from runner.planning import plan_file
from runner.planning.plan_file import PlanFile, StoredPlan
from runner.project.job_files import JobFiles
from runner.project.named_targets import Targets, name_of
from runner.project.project import Project, lacks_catalogue, open_project
from runner.reading import files
from runner.reading.document import Document
from runner.reading.files import display_path
from runner.reading.load import load
from runner.reports.next_steps import complete_command, has_not_begun, verb_command
from runner.reports.safe import clean
from runner.reports.words import run_title
from runner.runs.store import LocalRunStore, RunOfPlan, StoreError
from runner.runs.stored_runs import RunName, StoredRun, load_if_readable, unwritable
from runner.version import VERSION

_NO_TARGET = ("E100", "E141")
_ELSEWHERE = "it was planned in another folder: go there, or name its targets file with `--targets FILE`"
_ANOTHER_VALUE = "leave it out, or make a new plan for another value"
_NAMED = 3  # earlier runs that a message names: the newest

Changes: TypeAlias = Callable[[RunSpec, StoredPlan], Iterable[Problem]]
"""What is not as it was when the plan was made, and is in the way of its run."""


class PlanLoader(Struct, frozen=True, kw_only=True):
    """Makes runs of plans."""

    plans: Sequence[StoredPlan]
    targets_file: Path | None
    known: MutableMapping[str, Given]  # given inputs, to which the secrets of `ask` are added
    changes: Changes
    ask: AskForInputs = ask_nobody
    code: str = "E154"  # of a text that is missing
    base: Path = Path()  # the folder to which their files are relative
    has_passed: bool = False  # this version checked their texts

    def runs(self, problems: list[Problem]) -> list[RunSpec]:
        """Their runs, as far as nothing is in their way; what is goes into `problems`."""
        project = open_project(
            [self.base / file for file in dict.fromkeys(stored.file for stored in self.plans)],
            targets=self.targets_file,
            environment=os.environ,
            job_files=self._job_files,
            own_targets=False,
        )
        targets = Targets(project=project, environment=os.environ)
        if not project.errors:
            secrets = [(with_secret_inputs(file.job), None) for file in project.files if file.job is not None]
            self.known.update(self.ask(secrets, self.known, os.environ))
        found = [self._run(stored, project, targets) for stored in self.plans]
        problems.extend(map(self._with_folder_hint, project.problems))
        return [run for run in found if run is not None]

    def jobs(self) -> list[tuple[Job, StoredPlan]]:
        """Their jobs alone, without targets and secrets; a job that cannot be read is left out."""
        files = self._job_files([])
        opened = [(files.open(self.base / stored.file), stored) for stored in self.plans]
        return [(file.job, stored) for file, stored in opened if file is not None and file.job is not None]

    def _with_folder_hint(self, problem: Problem) -> Problem:
        """A target that is missing because the command is given elsewhere than where the plan was made."""
        is_here = self.targets_file is not None or any((self.base / stored.file).is_file() for stored in self.plans)
        return problem if is_here or problem.code not in _NO_TARGET else replace(problem, hint=_ELSEWHERE)

    def _job_files(self, problems: list[Problem]) -> JobFiles:
        """The plan's own texts in the place of files. They were inside their project when it was stored."""
        sources = [source for stored in self.plans for source in stored.sources.items()]
        texts = {(self.base / name).resolve(): (name, text) for name, text in sources}

        def name_of_file(path: Path) -> str:
            return texts[path.resolve()][0] if path.resolve() in texts else display_path(path)

        def read(path: Path, name: str) -> Document | tuple[Problem, ...]:
            if path not in texts:
                return (Problem(code=self.code, message=f"the plan does not hold `{name}`", file=name),)
            stored, text = texts[path]
            return load(stored, text.encode())

        return JobFiles(
            called=name_of_file,
            problems=problems,
            read=read,
            root=Path(Path.cwd().anchor),
            cases=False,
            has_passed=self.has_passed,
        )

    def _run(self, stored: StoredPlan, project: Project, targets: Targets) -> RunSpec | None:
        file = next((file for file in project.files if file.document.file == stored.file), None)
        if file is None or file.job is None:
            return None
        target = targets.named(file, stored.target.name)
        values, wrong = _inputs(file.job, stored, self.known)
        project.problems.extend(wrong)
        if target is None or wrong:
            return None
        spec = RunSpec(
            job=file.job,
            sources=stored.sources,
            target=target,
            inputs=values,
            case=Case(name=stored.case.name, inputs=stored.inputs) if stored.case else None,
            case_index=stored.case.index if stored.case else None,
            digest=stored.digest,
            elements=stored.elements,
            versions=stored.versions,
            unchecked=stored.unchecked and lacks_catalogue(file, target, project),
            variables=secret_variables(file.job, self.known, os.environ),
            case_secrets=tuple(
                name for name in values if name in self.known and self.known[name].origin is Origin.CASE
            ),
            refused=stored.refused,
        )
        project.problems.extend(self.changes(spec, stored))
        return spec


def _inputs(job: Job, stored: StoredPlan, known: Mapping[str, Given]) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the plan, with secrets that come anew."""
    fresh, wrong = supplied(with_secret_inputs(job), given=known, environment=os.environ)
    values = {**stored.inputs, **fresh}
    return {declared.name: values[declared.name] for declared in job.inputs if declared.name in values}, wrong


def with_secret_inputs(job: Job) -> Job:
    """The job with its secret inputs alone."""
    return replace(job, inputs=tuple(declared for declared in job.inputs if declared.secret))


def fixed_inputs(
    known: Mapping[str, Given],
    jobs: Sequence[tuple[Job, StoredPlan]],
    *,
    by: str,
    hint: str,
    others: Collection[str] = (),
) -> Iterator[Problem]:
    """Problems of given values that differ from those that a plan fixes (`by`), or that it does not know.

    A value that is the plan's own is no problem: a file for `--inputs` has all of them. `others` are known, too.
    """
    declared = {value.name for job, _ in jobs for value in job.inputs}
    yield from unknown(known, {*declared, *others})
    for name in known:
        if any(
            _differs(value, known[name], stored) for job, stored in jobs for value in job.inputs if value.name == name
        ):
            message = f"input `{name}` is fixed by {by}, with another value: only secrets are given anew"
            yield Problem(code="E150", message=message, hint=hint)


def _differs(declared: Input, given: Given, stored: StoredPlan) -> bool:
    if declared.secret:
        return False
    try:
        value = fit(declared, given.value, is_text=given.is_text)
    except UnfitError:
        return True
    return declared.name not in stored.inputs or canonical(value) != canonical(stored.inputs[declared.name])


def is_plan(spec: Path) -> bool:
    """Whether a SPEC is the file of plans, by its name or by how it begins; if it cannot be read, by its name."""
    return plan_file.is_plan(spec.name, files.first_bytes(spec).decode(errors="replace"))


def prepare(wanted: Wanted) -> RunSet:
    """Prepare the runs of stored plans, of a plan and its copy once. Raises `UsageError` with all in the way."""
    _refuse_options_of_jobs(wanted)
    known = given_inputs(wanted.given, file=wanted.inputs_file)
    problems: list[Problem] = []
    runs: list[RunSpec] = []
    notes: list[str] = []
    loaders: dict[str, PlanLoader] = {}
    for spec in wanted.specs:
        if (found := _read(spec, problems)) is None:
            continue
        if found.key in loaders:
            notes.append(f"{display_path(spec)} is a plan that this command names before it: it is carried out once")
            continue
        loaders[found.key] = _loader(spec, found, wanted, known)
        new = [replace(run, plan_key=found.key) for run in loaders[found.key].runs(problems)]
        problems.extend(_in_two_plans(display_path(spec), new, {run.name for run in runs}))
        runs += new
    is_for_all = "--inputs" in wanted.from_environment  # what is set once for all commands gives way to a plan
    typed = {name: each for name, each in known.items() if not (is_for_all and each.origin is Origin.INPUTS_FILE)}
    jobs = [job for loader in loaders.values() for job in loader.jobs()] if typed else ()
    problems.extend(fixed_inputs(typed, jobs, by="the plan", hint=_ANOTHER_VALUE))
    if errors_in(problems):
        raise UsageError(*dict.fromkeys(problems))
    notes += [f"the plan of {run.title} is as it was stored, {run.digest}" for run in runs]
    return RunSet(runs=tuple(runs), warnings=tuple(dict.fromkeys(problems)), notes=tuple(notes))


def _loader(spec: Path, found: PlanFile, wanted: Wanted, known: MutableMapping[str, Given]) -> PlanLoader:
    return PlanLoader(
        plans=found.plans,
        targets_file=wanted.targets_file,
        known=known,
        changes=partial(_changes, display_path(spec)),
        ask=wanted.ask,
        base=_base(spec, found),
    )


def _in_two_plans(file: str, runs: Iterable[RunSpec], before: Collection[RunName]) -> Iterator[Problem]:
    for run in runs:
        if run.name in before:
            message = f"`{run.title}` is in another of these plans, too: it would be carried out twice"
            yield Problem(code="E111", message=message, hint="carry out one of the two plans", file=file)


def planned_specs(lacking: Iterable[PlannedRun], anew: GivenAnew) -> list[RunSpec]:
    """The runs of stored plans that never began, as they were planned. Raises `UsageError` with all in their way."""
    planned = [each for each in lacking if each.plan is not None]
    if not planned:
        return []
    plans = [plan for each in planned if (plan := plan_file.from_record(each.plan or {})) is not None]
    loader = PlanLoader(
        plans=plans,
        targets_file=anew.targets,
        known=anew.inputs,
        changes=partial(_changes, "the plan"),
        ask=anew.ask,
    )
    problems: list[Problem] = []
    found = loader.runs(problems)
    problems.extend(fixed_inputs(anew.inputs, loader.jobs(), by="the plan", hint=_ANOTHER_VALUE, others=anew.others))
    if errors_in(problems):
        raise UsageError(*dict.fromkeys(problems))
    return [replace(run, plan_key=each.plan_key) for run, each in zip(found, planned, strict=True)]


def _refuse_options_of_jobs(wanted: Wanted) -> None:
    """A plan is carried out as it is, and by itself. What is set once for all commands gives way to it."""
    options = {
        "--target": wanted.targets,
        "--catalog": wanted.catalogue if not wanted.waits_for_sites else None,
        "--tags": wanted.tags,
        "--keyword": wanted.keywords,
        "--last-failed": wanted.last_failed,
        "--changed-since": wanted.changed_since,
    }
    found = [
        Problem(code="E150", message=f"`{option}` cannot go with a stored plan, which is carried out as it is")
        for option, value in options.items()
        if value and option not in wanted.from_environment
    ]
    if not all(map(is_plan, wanted.specs)):
        found.append(Problem(code="E150", message="stored plans and job files cannot be carried out in one command"))
    if found:
        raise UsageError(*found)


def _read(spec: Path, problems: list[Problem]) -> PlanFile | None:
    name = display_path(spec)
    content = files.content(spec, name=name)
    found = content if isinstance(content, Problem) else plan_file.read(name, content.decode(errors="replace"))
    if isinstance(found, Problem):
        problems.append(found)
        return None
    if found.version != VERSION:
        message = f"version {found.version or 'unknown'} made this plan, and version {VERSION} is to carry it out"
        problems.append(Problem(code="E154", message=message, file=name, severity=Severity.WARNING))
    return found


def _base(spec: Path, plans: PlanFile) -> Path:
    """The folder that the names in a plan start from: the current folder, or without their files the plan's."""
    here, made_in = Path(), Path(os.path.realpath(spec)).parent / plans.base
    names = {stored.file for stored in plans.plans}
    return next((folder for folder in (here, made_in) if any((folder / name).is_file() for name in names)), here)


def _changes(name: str, spec: RunSpec, stored: StoredPlan) -> Iterator[Problem]:
    """What is not as it was when the plan in the file called `name` was stored."""
    now = name_of(spec.target)
    if now != stored.target:
        then = "a sandbox" if stored.target.sandbox else stored.target.url
        message = f"target `{now.name}` was {then} when the plan was stored, and is another place now"
        yield Problem(code="E154", message=message, hint="make a new plan", file=name)
    if spec.plan(stored.target).digest != stored.digest:
        message = f"`{stored.job}` cannot be carried out as it was planned: its digest does not fit"
        yield Problem(code="E154", message=message, hint="make a new plan", file=name)


class PlanClaims:
    """The plans of a command, whose runs are in `store`. `again`: somebody wants them once more."""

    def __init__(self, store: LocalRunStore, runs: Iterable[RunSpec], *, again: bool) -> None:
        self.store = store
        self._again = again
        self._keys = list(dict.fromkeys(run.plan_key for run in runs if run.plan_key is not None))
        self._made: list[str] = []

    def check(self) -> None:
        """Raise `RefusedError` where a plan is known to have been carried out before."""
        if self._again and not self._keys:
            message = "`--again` carries out a stored plan once more, and none is named"
            raise UsageError(Problem(code="E150", message=message, hint="jobs are carried out again without it"))
        if not self._again:
            earlier = [runs for key in self._keys if (runs := self.store.runs_of_plan(key)) is not None]
            if earlier:
                raise RefusedError(*(_carried_out_before(self.store, runs) for runs in earlier))

    def take(self) -> None:
        """Claim the plans before their first run begins. Raises `RefusedError`, or `UsageError` if it cannot write."""
        for key in self._keys:
            with self._writing():
                is_claimed = self.store.claim_plan(key)
            if is_claimed:
                self._made.append(key)
            elif not self._again:
                self.give_back()
                raise RefusedError(_carried_out_before(self.store, self.store.runs_of_plan(key) or []))

    def note(self, spec: RunSpec, run: str) -> None:
        """Write down that `run` comes of its plan. To be called before anything of it is sent."""
        if spec.plan_key is not None:
            with self._writing():
                self.store.add_run_of_plan(spec.plan_key, run)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self.give_back()
            raise unwritable(self.store, error) from error

    def give_back(self) -> None:
        """Forget this command's claims that led to no run."""
        for key in self._made:
            self.store.release_plan(key)


def _carried_out_before(store: LocalRunStore, uses: Sequence[RunOfPlan]) -> Problem:
    runs = [use for use in uses if use.run]
    places = {use.run: store if use.folder is None else store.beside(use.folder) for use in runs}
    stored = {run: load_if_readable(place, run) for run, place in places.items()}
    shown = [f"{_earlier(use.run, stored[use.run])}{_where(use)}" for use in runs[-_NAMED:]]
    more = f"; and by {plural(len(runs) - _NAMED, 'run')} before" if len(runs) > _NAMED else ""
    claimed = "".join(map(_where, uses[-1:]))
    nobody = f"no run of it is known{claimed}; another command may be about to begin"
    by = f"{'; '.join(shown)}{more}" if shown else nobody
    hint = "nothing was sent; `--again` carries it out once more, and starts everything in it again"
    if not (shown or claimed):
        hint = "if no other command is about to begin it, nothing of it was sent: `--again` carries it out"
    if stored and all(found is not None and _sent_nothing(found) for found in stored.values()):
        hint = "it has sent nothing: `--again` carries the plan out"
        return Problem(code="E165", message=f"this plan was begun before: by {by}", hint=hint)
    begun = [found for found in stored.values() if found is not None and not _sent_nothing(found)]
    for open_run in [each for each in begun if not each.result.finished][-1:]:
        hint = f"`{complete_command('resume', open_run.result)}` goes on with the run that has not ended; {hint}"
    for found in [each for each in stored.values() if each is not None][-1:]:
        if lacking := never_begun(found):
            show = verb_command("show", found.id, found.store.name)
            hint = f"{plural(len(lacking), 'run')} of it never began: `{show}` names what carries them out; {hint}"
    return Problem(code="E165", message=f"this plan has been carried out before: {by}", hint=hint)


def _sent_nothing(run: StoredRun) -> bool:
    return has_not_begun(run.result) and not run.is_running and run.flaw is None


def _where(use: RunOfPlan) -> str:
    return "" if use.folder is None else f" in {clean(use.folder)}"


def _earlier(run: str, stored: StoredRun | None) -> str:
    if stored is None:
        return f"run {run}, which is not stored any more"
    if _sent_nothing(stored):
        return f"run {run}, which broke off before it began"
    end = stored.result.status if stored.result.finished else "which has not come to its end"
    return f"run {run} of {run_title(stored.result)}, {end}"
