"""What targets `allow`, compared with what they have and with the jobs that name them.

A pattern that nothing fits is a warning; a step that its target does not allow is a mistake, as its run is refused.
"""

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from runner.catalogue.model import Catalogue
from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import near_or_listed
from runner.job.model import Job
from runner.planning.guards import refused_steps
from runner.project.job_files import JobFile
from runner.project.project import Project
from runner.targets.hidden import without_secrets
from runner.targets.model import Target


def check_allowed(project: Project) -> None:
    """Check every target of the targets files that were opened."""
    for file, opened in project.targets_files.items():
        reported = {problem.span for problem in project.problems if problem.file == opened.document.file}
        found: list[Problem] = []
        for target in opened.targets.values():
            for each in _that_fit_nothing(target, file, project):
                problem = opened.document.found(each)
                found += [] if problem.span in reported else [problem]
        project.problems.extend(without_secrets(found, opened.document))


def check_steps(project: Project, *, against: Sequence[str]) -> None:
    """Check the jobs against their targets, or those that the command names in their place."""
    for file in project.files:
        names = against or ((file.job.target or "",) if file.job else ())
        for name in names:
            target = file.targets.get(name)
            if file.job is not None and target is not None:
                project.problems.extend(_refused(file, file.job, target))


def _refused(file: JobFile, job: Job, target: Target) -> Iterator[Problem]:
    documents = {document.file: document for document in file.documents.values()}
    for placed, problem in refused_steps(job, target):
        source = documents[placed.job.file].source
        start, end = source.line_bounds(placed.step.line)
        start += len(source.text[start:end]) - len(source.text[start:end].lstrip())
        yield replace(problem, file=source.file, span=source.span(start, end), excerpt=source.excerpt(placed.step.line))


def _that_fit_nothing(target: Target, file: Path, project: Project) -> Iterator[Finding]:
    allow = target.allow
    if allow is None or not (allow.processes or allow.entities):
        return
    catalogues = project.catalogues.of(target, folder=file.parent)
    at = ("targets", target.name, "allow")
    for key, what, patterns, known in (
        ("processes", "process", allow.processes, _codes(catalogues)),
        ("entities", "entity", allow.entities, _entities(catalogues)),
    ):
        for index, pattern in enumerate((patterns or ()) if known is not None else ()):
            if not any(fnmatchcase(name, pattern) for name in known or ()):
                message = f"`{target.name}` has no {what} that fits `{pattern}`"
                hint = near_or_listed(pattern, known or ())
                yield Finding(code="E198", message=message, path=(*at, key, index), hint=hint, warning=True)


def _codes(catalogues: Sequence[Catalogue]) -> Collection[str] | None:
    """The processes that a target has, with their versions, if known."""
    if not catalogues:
        return None
    processes = [process for catalogue in catalogues for process in catalogue.processes.values()]
    return {code for process in processes for code in (process.code, *(each.code for each in process.versions))}


def _entities(catalogues: Sequence[Catalogue]) -> Collection[str] | None:
    known = [catalogue.entities for catalogue in catalogues]
    return {name for entities in known for name in entities or ()} if known and None not in known else None
