"""The targets that a command line names: those of a job's targets file, the environment's, and those of clio."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct, field

from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.suggestions import did_you_mean
from runner.project import ignored_files
from runner.project.job_files import JobFile
from runner.project.project import Project, check_doubles, compare, open_targets, target_named
from runner.reading.files import display_path, read_text
from runner.runs.events import TargetName
from runner.targets import clio
from runner.targets import environment as env
from runner.targets.build import without_file
from runner.targets.files import BEGIN, find_targets, searched
from runner.targets.model import CLIO, SandboxTarget, SiteTarget, Target
from runner.targets.values import is_in_the_clear

_UNREAD: Final = "{{ url }}"


def is_outside(name: str) -> bool:
    """Whether a target is not in a targets file: `env`, or `clio:NAME`."""
    return name == env.NAME or name.startswith(CLIO)


def _outside(name: str, environment: Mapping[str, str]) -> SiteTarget | tuple[Problem, ...]:
    if name == env.NAME:
        return env.from_environment(environment)
    return clio.find(name.removeprefix(CLIO), environment=environment, read_file=read_text)


def name_of(target: Target) -> TargetName:
    """The target's name in a plan, before it has been made ready: its templates are as they were written."""
    url = "" if isinstance(target, SandboxTarget) else target.url
    return TargetName(name=target.name, url=url, sandbox=isinstance(target, SandboxTarget))


class Targets(Struct, kw_only=True):
    """Targets by name, for the job files of a project. What is wrong with a target is added to the project, once."""

    project: Project
    environment: Mapping[str, str]
    _found_outside: dict[str, Target | None] = field(default_factory=dict)

    def named(self, file: JobFile, name: str | None) -> Target | None:
        """The named target of a run of this job, else the job's own, if found. `env` and `clio:NAME` come first."""
        if name is not None and is_outside(name):
            outside = self._outside(name)
            if outside is not None:
                compare(file, outside, self.project)
            return outside
        own = file.job.target if file.job and name is None else None
        is_reported = own not in (None, *file.targets) if file.targets else bool(self.project.errors)
        if is_reported:  # as wrong in the targets file, or as the job's own target
            return None
        target = target_named(file, name)
        if isinstance(target, Problem):
            self._report(target)
            return None
        if isinstance(target, SiteTarget) and target.plain_http and ("{{" in target.url or is_in_the_clear(target.url)):
            message = f"target `{target.name}` is called without TLS (`plain_http`): passwords and data can be read"
            self._report(Problem(code="E167", message=f"{message} on their way", severity=Severity.WARNING))
        check_doubles(target, self.project)
        compare(file, target, self.project)
        return target

    def compare_unread(self, file: JobFile, name: str) -> None:
        """Hold a job against the catalogue of `env`, or of a site of clio, without a look at what these are."""
        compare(file, SiteTarget(name=name, url=_UNREAD), self.project)

    def _outside(self, name: str) -> Target | None:
        if name not in self._found_outside:
            found = _outside(name, self.environment)
            for problem in found if isinstance(found, tuple) else ():
                self._report(problem)
            self._found_outside[name] = None if isinstance(found, tuple) else found
        return self._found_outside[name]

    def _report(self, problem: Problem) -> None:
        if problem not in self.project.problems:
            self.project.problems.append(problem)


class KnownTarget(Struct, frozen=True, kw_only=True):
    """A target, and its targets file; None where there is no such file, or none is needed. `where` says so in words."""

    target: Target
    file: Path | None
    where: str


Known: TypeAlias = Mapping[str, KnownTarget]


def targets_of(specs: Sequence[Path], explicit: Path | None, project: Project) -> dict[str, KnownTarget]:
    """The targets of all targets files that the specs lead to. Raises `UsageError` for mistakes in them."""
    ignored_files.check_specs(specs, of_targets=True)
    found: dict[str, KnownTarget] = {}
    read: dict[Path, Mapping[str, Target]] = {}
    for spec in specs or (Path(),):
        beside = spec / "any" if spec.is_dir() else spec
        file = find_targets(beside, explicit=explicit, environment=os.environ)
        if file is not None and file.resolve() not in read:
            read[file.resolve()] = open_targets(file, project)
        targets = without_file(beside) if file is None else read[file.resolve()]
        where = f"{searched(beside.parent)}, so there is only the sandbox" if file is None else display_path(file)
        for name, target in targets.items():
            found.setdefault(name, KnownTarget(target=target, file=file, where=where))
    _refuse_mistakes(project)
    return found


def chosen(names: Sequence[str], specs: Sequence[Path], targets: Path | None) -> dict[str, KnownTarget]:
    """The targets that are named, or the only target there is. Raises `UsageError`."""
    project = Project()
    known = targets_of(specs, targets, project)
    return {name: _named(name, known, project) for name in dict.fromkeys(names) or _only(known)}


def single_target(name: str | None, specs: Sequence[Path], targets: Path | None) -> KnownTarget:
    """The target that is named, or the only target there is. Raises `UsageError`."""
    return next(iter(chosen([name] if name else [], specs, targets).values()))


def _only(known: Known) -> tuple[str, ...]:
    """The only site, or only target. Raises `UsageError` where there are several, or neither targets nor a sandbox."""
    sandboxes = (entry.target for entry in known.values() if isinstance(entry.target, SandboxTarget))
    if not any(entry.file for entry in known.values()) and not any(each.folder.is_dir() for each in sandboxes):
        raise UsageError(Problem(code="E140", message="there is no target here", hint=_elsewhere(known)))
    names = [name for name, entry in known.items() if isinstance(entry.target, SiteTarget)] or list(known)
    if len(names) == 1:
        return tuple(names)
    listed = ", ".join(f"`{name}`" for name in names)
    raise UsageError(Problem(code="E140", message="which target?", hint=f"name the target with `-t`: {listed}"))


def _named(name: str, known: Known, project: Project) -> KnownTarget:
    """The target. Raises `UsageError` if it is unknown, or its doubles have mistakes."""
    if is_outside(name):
        found = _outside(name, os.environ)
        if isinstance(found, tuple):
            raise UsageError(*found)
        return KnownTarget(target=found, file=None, where="not needed")
    if name in known:
        check_doubles(known[name].target, project)
        _refuse_mistakes(project)
        return known[name]
    if not any(entry.file for entry in known.values()):
        hint = _elsewhere(known)
    else:
        files = " and ".join(dict.fromkeys(entry.where for entry in known.values() if entry.file))
        hint = did_you_mean(name, known) or f"known in {files}: {', '.join(f'`{other}`' for other in known)}"
    raise UsageError(Problem(code="E141", message=f"unknown target `{name}`", hint=hint))


def _elsewhere(known: Known) -> str:
    where = next(iter(known.values())).where
    return f"go to the folder of the jobs, or name their targets with `--targets FILE`: {where}; or {BEGIN}"


def _refuse_mistakes(project: Project) -> None:
    if project.errors:
        raise UsageError(*dict.fromkeys(project.problems))
