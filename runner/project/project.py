"""The files that a command names, opened: jobs, targets, doubles, and every mistake in them, in a pass.

Nothing is sent, and no secret is read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.model import Catalogue, Process, ProcessElement, unchecked
from runner.foundation.problems import Problem, Severity, errors_in, in_order
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import record
from runner.language import lookalikes, schema
from runner.lint import jobs as rules
from runner.lint.jobs import MissingNeed, circles, missing_needs
from runner.lint.uses import started
from runner.project.catalogues import Catalogues
from runner.project.job_files import JobFile, JobFiles
from runner.project.paths import job_paths, jobs_in, leads_out
from runner.reading.document import Document
from runner.reading.files import below, display_path
from runner.reading.load import read
from runner.targets import build as target_build
from runner.targets import rules as target_rules
from runner.targets.build import SANDBOX
from runner.targets.environment import NAME as ENV
from runner.targets.files import BEGIN, find_targets, searched
from runner.targets.hidden import without_secrets
from runner.targets.model import SandboxTarget, SiteTarget, Target


class TargetsFile(Struct, frozen=True, kw_only=True):
    document: Document
    targets: Mapping[str, Target]


class Project(Struct, kw_only=True, dict=True):
    """What was opened."""

    files: list[JobFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # with warnings
    catalogue: Path | None = None  # that the command names
    targets: Path | None = None  # the targets file that it names
    compared: set[tuple[str, str, str | None]] = field(default_factory=set)  # files, by catalogue and perhaps target
    without_catalogue: dict[str, None] = field(default_factory=dict)  # sites that jobs start processes on
    targets_files: dict[Path, TargetsFile] = field(default_factory=dict)  # those without mistakes
    has_passed: bool = False  # as in `JobFiles`
    missing_needs: tuple[MissingNeed, ...] = ()  # their problems are among the others

    @cached_property
    def catalogues(self) -> Catalogues:
        return Catalogues(problems=self.problems, named=self.catalogue)

    @property
    def errors(self) -> list[Problem]:
        return errors_in(self.problems)

    @property
    def unchecked(self) -> str:
        """The line on sites without a catalogue, if any."""
        if not self.without_catalogue:
            return ""
        names, file, here = [*self.without_catalogue], self.targets, Path.cwd()
        if file is None:  # a command without files looks from the current folder up
            found = (each.targets_file for each in self.files if names[0] in each.targets)
            file = next((each for each in found if each and each.parent.resolve() not in (here, *here.parents)), None)
        return f"{unchecked(names, None if file is None else display_path(file))}\n"


def open_project(
    specs: Sequence[Path],
    *,
    targets: Path | None,
    environment: Mapping[str, str],
    job_files: Callable[[list[Problem]], JobFiles] | None = None,
    catalogue: Path | None = None,
    own_targets: bool = True,
    recursive: bool = False,
) -> Project:
    """Open job files, and those in folders (`recursive`: below, too).

    `targets` is a targets file for all, else each job's own. `job_files` opens them without a disk; it gets the list of
    problems. `catalogue` counts for all targets. Without `own_targets` jobs are compared with others when they are
    selected.
    """
    project = Project(catalogue=catalogue, targets=targets)
    jobs = job_files(project.problems) if job_files else JobFiles(problems=project.problems)
    project.has_passed = jobs.has_passed
    read_targets: dict[Path, Mapping[str, Target]] = {}
    for path in job_paths(specs, recursive=recursive):
        opened = jobs.open(path)
        if opened is None:
            continue
        file = find_targets(path, explicit=targets, environment=environment)
        if file is not None and file not in read_targets:
            read_targets[file] = open_targets(file, project)
        known = target_build.without_file(path) if file is None else read_targets[file]
        if known:
            where = "" if file else searched(path.parent)
            unknown = rules.target_known(opened.document, known, searched=where, is_used=own_targets)
            project.problems.extend([problem for problem in unknown if not _has_error_in_its_line(problem, project)])
        job_file = replace(opened, targets=known, targets_file=file)
        project.files.append(job_file)
        if own_targets:
            compare(job_file, known.get(str(record(opened.document.data).get("target"))), project)
    project.problems.extend(_links_out(specs) if recursive else ())
    project.problems.extend(rules.names_unique(file.document for file in project.files))
    if job_files is None:  # what was planned before is carried out by itself
        documents = [file.document for file in project.files]
        project.missing_needs = tuple(missing_needs(documents, beside=_names_beside))
        project.problems.extend(missing.problem for missing in project.missing_needs)
        project.problems.extend(circles(documents))
    return project


def _has_error_in_its_line(problem: Problem, project: Project) -> bool:
    """Whether the line could not be read, so that nothing follows from its value."""
    return problem.span is not None and any(
        other.file == problem.file and other.span is not None and other.span.line == problem.span.line
        for other in project.errors
    )


def _names_beside(document: Document) -> frozenset[str]:
    """The names of the jobs in the folder of a job, as far as they can be read."""
    found = (read(path, name=display_path(path)) for path in jobs_in(Path(document.file).parent))
    names = (record(document.data).get("name") for document in found if isinstance(document, Document))
    return frozenset(name for name in names if isinstance(name, str))


def _links_out(specs: Sequence[Path]) -> Iterator[Problem]:
    """A warning for each job below that is a link to somewhere else."""
    for spec in filter(Path.is_dir, specs):
        for path in (path for inner in below(spec) for path in jobs_in(inner) if leads_out(path, spec)):
            message = f"{display_path(path)} leads out of the folder that was named, and is not read"
            yield Problem(code="E119", message=message, file=display_path(path), severity=Severity.WARNING)


def open_targets(file: Path, project: Project) -> Mapping[str, Target]:
    """The targets of a file; none where it has mistakes, which are added to the project."""
    document = read(file, name=display_path(file))
    if isinstance(document, tuple):
        project.problems.extend(without_secrets(document, None))
        return {}
    problems = [*schema.check(document, "targets")]
    problems.extend(target_rules.check(document, reported=problems))
    problems.extend(lookalikes.check(document, reported=problems, shown=False))
    project.problems.extend(without_secrets(problems, document))
    if errors_in(problems):
        return {}
    found = target_build.targets(document, beside=Path(display_path(file)).parent)
    project.targets_files[file] = TargetsFile(document=document, targets=found)
    project.catalogues.warn_of_strays(file, found)
    return found


def check_doubles(target: Target, project: Project) -> None:
    if isinstance(target, SandboxTarget):
        project.catalogues.doubles(target)


def compare(file: JobFile, target: Target | None, project: Project) -> None:
    """Compare a job, with all that it includes, with its target, once; partly also without a target."""
    if target is not None and target.name not in project.without_catalogue and lacks_catalogue(file, target, project):
        project.without_catalogue[target.name] = None
    for catalogue in _catalogues(file, target, project) or (() if project.has_passed else (None,)):
        from runner.lint import site  # noqa: PLC0415  2 ms, as in `job_files`

        place = None if target is None else target.name
        reached = {id(outline) for outline in site.reached(file.outline, place)}
        for name, document in file.documents.items():
            if id(outline := file.outlines[name]) not in reached:
                continue
            is_of_targets = any("target.name" in str(step.fields.get("if")) for step in outline.steps)
            compared = document.file, catalogue.name if catalogue else "", place if is_of_targets else None
            if compared not in project.compared:
                project.compared.add(compared)
                called = _names(file, is_included=document is not file.document)
                _add(site.check(document, outline, catalogue, called=called, target=place), project)


def _names(file: JobFile, *, is_included: bool) -> Mapping[str, frozenset[str]]:
    """The known names of targets and cases of a job. What it includes may be for the cases of other jobs, too."""
    cases = frozenset(case.name for case in (file.job.cases if file.job and not is_included else None) or ())
    targets = frozenset((*file.targets, ENV)) if file.targets_file is not None and file.targets else frozenset()
    return {root: names for root, names in (("target", targets), ("case", cases)) if names}


def _catalogues(file: JobFile, target: Target | None, project: Project) -> tuple[Catalogue, ...]:
    """What says what a target has that a job's targets file holds, or that is outside of it: `env`, or of clio."""
    is_own = target is None or target.name in file.targets
    return project.catalogues.of(
        target, folder=file.targets_file.parent if is_own and file.targets_file is not None else Path()
    )


def lacks_catalogue(file: JobFile, target: Target, project: Project) -> bool:
    """Whether nothing says which parameters the processes take that a job starts on a site."""
    is_known = not isinstance(target, SiteTarget) or _catalogues(file, target, project)
    return not is_known and bool(started(file.outlines.values()))


def elements_of(file: JobFile, target: Target, project: Project) -> tuple[ProcessElement, ...]:
    """The elements of all processes that a job starts, as far as the target's catalogues have them."""
    found = _processes(file, target, project)
    return tuple(dict.fromkeys(element for process in found for element in process.elements or ()))


def active_versions(file: JobFile, target: Target, project: Project) -> dict[str, str]:
    """The active versions of processes that a job starts, by the catalogue: their parameters were checked."""
    found = () if isinstance(target, SandboxTarget) else _processes(file, target, project)
    return {process.code: process.active_code for process in found if process.active_code is not None}


def _processes(file: JobFile, target: Target, project: Project) -> list[Process]:
    known = _catalogues(file, target, project)
    codes = sorted(started(file.outlines.values())) if known else ()
    return [process for catalogue in known for code in codes if (process := catalogue.processes.get(code)) is not None]


_TEXTS = ("E109", "E123")  # what is a text by mistake; where its type is wrong, too, its hint is the better


def _add(found: Sequence[Problem], project: Project) -> None:
    """Add what is not reported already, nor is where something else is wrong, but at the key before a wrong value."""
    if not found:
        return
    first = {(problem.file, problem.path): problem for problem in reversed(in_order(project.errors))}
    spans = {(problem.file, problem.span) for problem in project.problems if not problem.path}
    warned = set(project.problems)
    texts = {(problem.file, problem.path): problem for problem in project.problems if problem.code in _TEXTS}
    for new in (problem for problem in dict.fromkeys(found) if (problem.file, problem.span) not in spans):
        beside = first.get((new.file, new.path))
        if (beside is None or _ends_before(new, beside)) and new not in warned:
            text = texts.get((new.file, new.path))
            if text is not None:
                project.problems.remove(text)
            project.problems.append(new if text is None else replace(new, hint=text.hint))


def _ends_before(key: Problem, value: Problem) -> bool:
    if key.span is None or value.span is None:
        return False
    return (key.span.end_line, key.span.end_column) <= (value.span.line, value.span.column)


def target_named(file: JobFile, name: str | None) -> Target | Problem:
    """The target that a run of this job goes to: that named on the command line, else the job's own."""
    wanted = name or (file.job.target if file.job else None)
    if wanted is None:
        hint = f"name a target with `-t`: {_listed(file.targets)}" if file.targets else "name a target with `-t`"
        sandboxes = (target for target in file.targets.values() if isinstance(target, SandboxTarget))
        if file.targets_file is None and not any(sandbox.folder.is_dir() for sandbox in sandboxes):
            hint = f"{BEGIN}: {searched(Path(file.document.file).parent)}, and no folder `{SANDBOX}` beside the job"
        message = "the job names no target, and a run is never sent to a target by default"
        return file.document.problem("E140", message, path=("name",), at_key=True, hint=hint)
    if wanted in file.targets:
        return file.targets[wanted]
    hint = did_you_mean(wanted, file.targets) or _where_targets_are(file)
    if "," in wanted:
        hint = f"each is named by itself: `{' '.join(f'-t {part}' for part in wanted.replace(',', ' ').split())}`"
    return Problem(code="E141", message=f"unknown target `{wanted}`", hint=hint)


def _where_targets_are(file: JobFile) -> str:
    if file.targets_file:
        return f"{display_path(file.targets_file)} has {_listed(file.targets) or 'no target'}"
    return f"the sandbox beside the job has {_listed(file.targets)}; {searched(Path(file.document.file).parent)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
