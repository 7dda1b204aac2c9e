"""From the words of a command to the runs that could begin: files, jobs, cases, inputs and targets.

Every problem is reported at once; nothing has been sent then. Runs are in the order of jobs, then cases, then targets.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from runner.catalogue.model import ProcessElement
from runner.execution import stored_plans
from runner.execution.planned_runs import lacking_commands
from runner.execution.run_spec import NOTHING, RunSet, RunSpec, Wanted, given_inputs, input_values
from runner.execution.selection import FoundRun, Selection, runs_of, select
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.sentences import MOST, first_few
from runner.foundation.suggestions import likely_typo, suggest
from runner.foundation.values import Json, canonical
from runner.job.inputs import VARIABLE, Given, Origin, case_secrets, secret_variables, supplied
from runner.project import ignored_files
from runner.project.affected import AffectedJobs, nothing_changed
from runner.project.named_targets import Targets, is_outside
from runner.project.project import Project, active_versions, elements_of, lacks_catalogue, open_project
from runner.reports.safe import clean
from runner.runs.store import RunStore
from runner.runs.stored_runs import RunName, failed_runs, is_of_other_job, newest_runs
from runner.targets.model import Target

_UNFILLED = lazy_pattern(r"\$(?:env:)?[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\}|%[A-Za-z_]\w*%|\$\(\w+ .*\)")
"""What a shell has left as it is: in single quotes, or since it is of another shell."""
_OPTION = VARIABLE.removesuffix("INPUT_")


def prepare(wanted: Wanted) -> RunSet:
    """Prepare every selected run. Raises `UsageError` with all problems of all files, inputs and targets."""
    if any(map(stored_plans.is_plan, wanted.specs)):
        return stored_plans.prepare(wanted)
    selection = select(wanted.tags, wanted.keywords)
    ignored_files.check_specs(wanted.specs, of_targets=False)
    given = given_inputs(wanted.given, file=wanted.inputs_file)
    project = _opened(wanted)
    found = [run for file in project.files for run in runs_of(file)]
    named = selection.of(found)
    selected = _affected(named, wanted, project)
    placed = _with_targets(selected, wanted, project)
    chosen = [run for run, _ in placed]
    values, problems = _values(chosen, given, project, wanted)
    project.problems += [*problems, *selection.problems(found), *_typos(wanted, project)]
    project.problems += () if wanted.planned else _in_place_of_cases(chosen, values, given)
    if project.errors:
        missing = project.missing_needs if wanted.has_ledger else ()
        raise UsageError(*project.problems, *(each.problem for each in missing))
    specs = tuple(_run_specs(placed, values, project, known=given, with_data=wanted.has_ledger))
    run_set = _run_set(specs, found, project, wanted)
    if not selected:
        return replace(run_set, nothing=_why_nothing(wanted, selection, found, named=named))
    return _last_failed(run_set, selected, wanted)


def _opened(wanted: Wanted) -> Project:
    """All files of the command, with warnings about those that it ignores."""
    project = open_project(
        wanted.specs,
        targets=wanted.targets_file,
        environment=os.environ,
        catalogue=wanted.catalogue,
        own_targets=not wanted.targets,
        recursive=wanted.recursive,
    )
    if wanted.has_ledger:  # it may know them
        missing = {each.problem for each in project.missing_needs}
        project.problems[:] = [problem for problem in project.problems if problem not in missing]
    elif project.missing_needs:
        from runner.ledger.applied_jobs import forgive_applied  # noqa: PLC0415  with SQLite, where a job is not there

        forgive_applied(project)
    ignored_files.report(
        wanted.specs,
        project,
        targets=wanted.targets_file,
        recursive=wanted.recursive,
        may_be_empty=wanted.may_be_empty,
    )
    return project


def _run_set(specs: tuple[RunSpec, ...], found: Sequence[FoundRun], project: Project, wanted: Wanted) -> RunSet:
    """`specs` are the selected of the runs that were `found`. Of targets files they are warned of their own targets."""
    used = {spec.target.name for spec in specs}
    all_warnings = (problem for problem in project.problems if problem.severity is Severity.WARNING)
    warnings = (
        each for each in all_warnings if each.path[:1] != ("targets",) or each.path[1:2] == () or each.path[1] in used
    )
    return RunSet(
        runs=specs,
        warnings=tuple(dict.fromkeys(warnings)),
        not_read=ignored_files.in_folders_below(wanted.specs, project, recursive=wanted.recursive),
        unchecked=project.unchecked,
        names=frozenset(run.title for run in found),
        missing_needs=project.missing_needs if wanted.has_ledger else (),
    )


def _affected(runs: Sequence[FoundRun], wanted: Wanted, project: Project) -> Sequence[FoundRun]:
    """The runs that differ from a commit, where the command asks for that. Raises `UsageError`."""
    if wanted.changed_since is None:
        return runs
    jobs = AffectedJobs(
        revision=wanted.changed_since, project=project, targets=wanted.targets, catalogue=wanted.catalogue
    )
    is_affected = {run.file.document.file: bool(jobs.reasons(run.file)) for run in runs}
    return [run for run in runs if is_affected[run.file.document.file]]


def _with_targets(
    selected: Iterable[FoundRun], wanted: Wanted, project: Project
) -> list[tuple[FoundRun, list[Target | None]]]:
    """The runs that have a target, each with its targets; None stands for a target that cannot be used."""
    names_of, targets = _target_names(wanted, project), Targets(project=project, environment=os.environ)
    named = ((run, names_of(run)) for run in selected)
    return [(run, [targets.named(run.file, name) for name in names]) for run, names in named if names]


def _target_names(wanted: Wanted, project: Project) -> Callable[[FoundRun], Sequence[str | None]]:
    """The targets of a run: the command's, those where it did not pass (`--last-failed`), or None, the job's own."""
    if wanted.planned:
        return lambda run: [target for job, case, target in wanted.planned if (job, case) == run.key]
    if wanted.targets or wanted.last_failed is None:
        return lambda _run: wanted.targets or (None,)
    files = {file.job.name: file.job.file for file in project.files if file.job is not None}
    failed = sorted(_not_passed(wanted.last_failed, newest_runs(wanted.last_failed, files), files), key=str)

    def failed_targets(run: FoundRun) -> Sequence[str | None]:
        names = [target for job, case, target in failed if (job, case) == run.key]
        there = [name for name in names if is_outside(name) or name in run.file.targets]
        for name in (name for name in names if name not in there):
            message = f"`{clean(run.job.name)}` did not pass at target `{clean(name)}`, which is not there any more"
            project.problems.append(Problem(code="E141", message=message, severity=Severity.WARNING))
        return there

    return failed_targets


def _not_passed(
    store: RunStore, newest: Mapping[RunName, tuple[str, str]], files: Mapping[str, str]
) -> frozenset[RunName]:
    """What did not pass when it ran last, or was to be begun by a command that was killed before."""
    lacking = (run for each in lacking_commands(store) for run in each.lacking)
    return frozenset(failed_runs(newest)) | {
        run.key for run in lacking if not is_of_other_job(run.job, run.file, files)
    }


def _values(
    chosen: Sequence[FoundRun], given: dict[str, Given], project: Project, wanted: Wanted
) -> tuple[list[dict[str, Json]], list[Problem]]:
    """The input values of each run; a person at the terminal gives those that are missing, if nothing else is wrong."""
    is_needed = {True: not (wanted.secrets_elsewhere or wanted.sends_nothing), False: True}
    jobs = [
        replace(run.job, inputs=tuple(each for each in run.job.inputs if is_needed[each.secret] or each.name in given))
        for run in chosen
    ]
    runs = [(job, run.case, run.file.lacking) for job, run in zip(jobs, chosen, strict=True)]
    if wanted.secrets_elsewhere and (refused := list(dict.fromkeys(_not_handed_over(chosen, given)))):
        return [], refused
    if wanted.planned:
        return _planned_values(chosen, given, wanted)
    if not chosen:  # that nothing is selected is the mistake to name: no job is there that could know an input
        return [], []
    values, problems = input_values(runs, given)
    if not project.errors and {problem.code for problem in problems} == {"E130"}:
        answers = wanted.ask([(job, case) for job, case, _ in runs], given, os.environ)
        return input_values(runs, given | answers)
    return values, problems


def _in_place_of_cases(
    chosen: Sequence[FoundRun], values: Sequence[Mapping[str, Json]], given: Collection[str]
) -> Iterator[Problem]:
    """Warn of a value that several runs get in the place of those that their cases give."""
    replaced: Counter[str] = Counter()
    names = {each.name for run in chosen for each in run.job.inputs}
    before = {name for name in names if name in given or VARIABLE + name.upper() in os.environ}
    for run, known in zip(chosen, values, strict=False):
        written = run.case.inputs if run.case is not None and before else {}
        both = before & written.keys() & known.keys()
        replaced.update(name for name in both if canonical(known[name]) != canonical(written[name]))
    for name, count in replaced.items():
        source = "the command line" if name in given else f"`{VARIABLE}{name.upper()}`"
        message = f"{count} cases give the input `{name}`, and {source} gives all of them another value in its place"
        hint = f"leave it out if each case is to have its own `{name}`"
        if count > 1:
            yield Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)


def _planned_values(
    chosen: Sequence[FoundRun], given: dict[str, Given], wanted: Wanted
) -> tuple[list[dict[str, Json]], list[Problem]]:
    """The values that the runs were to begin with, and new secrets."""
    secret = [(stored_plans.with_secret_inputs(run.job), run.case) for run in chosen]
    anew = given | wanted.ask(secret, given, os.environ)
    made: list[dict[str, Json]] = []
    problems: list[Problem] = []
    for run in chosen:
        inputs = next(inputs for (*name, _), inputs in wanted.planned.items() if tuple(name) == run.key)
        own = {name: Given(value=value, origin=Origin.INPUTS_FILE, is_text=False) for name, value in inputs.items()}
        values, wrong = supplied(run.job, given=anew | own, environment=os.environ, case=run.case)
        made.append(values)
        problems += wrong
    return made, list(dict.fromkeys(problems))


def _not_handed_over(chosen: Iterable[FoundRun], given: Collection[str]) -> Iterator[Problem]:
    for name in (each.name for run in chosen for each in run.job.inputs if each.secret and each.name in given):
        message = f"input `{clean(name)}` is secret, and no secret goes into the database of a fleet"
        hint = f"leave it out here, and give it to the workers: `{VARIABLE}{clean(name).upper()}` in their environment"
        yield Problem(code="E131", message=message, hint=hint)


def _run_specs(
    placed: Iterable[tuple[FoundRun, Sequence[Target | None]]],
    values: Iterable[dict[str, Json]],
    project: Project,
    *,
    known: Collection[str],
    with_data: bool,
) -> Iterator[RunSpec]:
    designs: dict[tuple[str, Target], tuple[tuple[ProcessElement, ...], dict[str, str], bool]] = {}  # of many cases
    for (run, targets), run_values in zip(placed, values, strict=True):
        for target in (target for target in targets if target is not None):
            if (place := (run.job.file, target)) not in designs:
                designs[place] = (
                    elements_of(run.file, target, project),
                    active_versions(run.file, target, project),
                    lacks_catalogue(run.file, target, project),
                )
            elements, versions, unchecked = designs[place]
            yield RunSpec(
                job=run.job,
                sources=run.file.sources,
                target=target,
                inputs=run_values,
                case=run.case,
                case_index=run.index,
                elements=elements,
                versions=versions,
                unchecked=unchecked,
                written={name: document.data for name, document in run.file.documents.items()} if with_data else {},
                variables=secret_variables(run.job, known, os.environ),
                case_secrets=case_secrets(run.job, run.case, known, os.environ),
            )


def _last_failed(run_set: RunSet, selected: Sequence[FoundRun], wanted: Wanted) -> RunSet:
    """With `--last-failed` the runs that did not pass, and a note on the `selected` that no command has begun there."""
    store, targets = wanted.last_failed, wanted.targets
    if store is None:
        return run_set
    files = {run.job.name: run.job.file for run in selected}
    newest = newest_runs(store, files)
    names = _not_passed(store, newest, files)
    runs = tuple(run for run in run_set.runs if run.name in names)
    known = {(job, case) for job, case, target in {*names, *newest} if not targets or target in targets}
    unknown = [run.title for run in selected if run.key not in known]
    note = f"left out by `--last-failed`, as no command has had to do with them: {first_few(unknown, MOST)}"
    nothing = f"none of these runs has failed, by what {store.name} knows: {NOTHING}"
    return replace(run_set, runs=runs, notes=(*run_set.notes, note) if unknown else run_set.notes, nothing=nothing)


def _why_nothing(wanted: Wanted, selection: Selection, found: Sequence[FoundRun], *, named: Sequence[FoundRun]) -> str:
    """Why none of the runs that were `found` is left. Those that are `named` are as they were at the commit."""
    if named:
        return f"{nothing_changed(wanted.specs, str(wanted.changed_since))}: {NOTHING}"
    why = selection.why_nothing(found) if found else ignored_files.no_jobs(wanted.specs)
    if ": " in why:  # a second colon would belong to neither sentence
        why += "."
    return f"{why} {NOTHING.capitalize()}" if why.endswith(("?", ".")) else f"{why}: {NOTHING}"


def _typos(wanted: Wanted, project: Project) -> Iterator[Problem]:
    """Warnings of probable typos in what the command line gives."""
    jobs = [file.job for file in project.files if file.job is not None]
    own = {declared.name for job in jobs for declared in job.inputs}
    for option, name in ((option, name) for option in wanted.given for name in own if f",{name}=" in option):
        message = f"`,{name}=` is a part of the value that `-i {clean(option.partition('=')[0])}=…` gives"
        hint = f"write `-i {name}=…` of its own, if it is meant for the input `{name}`"
        yield Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
    for name, _, value in (option.partition("=") for option in wanted.given):
        if _UNFILLED.fullmatch(value) is not None:
            message = f"the input `{clean(name)}` is the text `{clean(value)}`: no shell has put a value in its place"
            hint = "write it in double quotes, or as the shell that runs this command names its variables"
            yield Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
    yield from _typos_of_variables({name.upper() for name in own}, wanted.from_environment)
    targets = {name for file in project.files for name in file.targets}
    for name in wanted.confirmed:
        if name not in targets and not is_outside(name):
            message = f"`--confirm {clean(name)}` confirms nothing: there is no such target"
            yield _typo(message, near=suggest(name, targets))


def _typos_of_variables(names: Collection[str], options: Collection[str]) -> Iterator[Problem]:
    """`names` are those of inputs, in capitals; `options` have their values from the environment."""
    given = {name.removeprefix(VARIABLE) for name in os.environ if name.startswith(VARIABLE)}
    lacking = sorted(set(names) - given)
    for name in sorted(given.difference(names)):
        near = likely_typo(name, lacking, own_letters=True)
        if near is not None and near != f"{name}S":  # a thing and several of it are inputs of different jobs
            yield _typo(f"no job has an input for `{VARIABLE}{clean(name)}`", near=VARIABLE + near)
    for variable in (each for each in sorted(os.environ) if each[:1] == "C" and "RUN" in each):
        if variable.startswith(VARIABLE) or f"--{variable.removeprefix(_OPTION).lower().replace('_', '-')}" in options:
            continue
        known = {_OPTION + name: VARIABLE + name for name in lacking}
        near = known.get(variable) or likely_typo(variable, known.values(), own_letters=True)
        if near is not None:
            yield _typo(f"the environment variable `{clean(variable)}` gives no input", near=near)


def _typo(message: str, *, near: str | None) -> Problem:
    hint = f"did you mean `{clean(near)}`?" if near else None
    return Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
