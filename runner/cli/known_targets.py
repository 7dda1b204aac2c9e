"""The targets that a command may name which is about targets, not about jobs: those of the files that lie nearest."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from runner.cli import meant
from runner.cli.targets import is_outside, outside
from runner.foundation.problems import Problem, UsageError
from runner.foundation.suggestions import did_you_mean
from runner.project.paths import called
from runner.project.project import Project, check_doubles, open_targets
from runner.targets.build import without_file
from runner.targets.files import find_targets, searched
from runner.targets.model import SandboxTarget, SiteTarget, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTarget:
    """A target, and the targets file that it stands in; None where there is no such file, or none is needed.

    `where` says so in words.
    """

    target: Target
    file: Path | None
    where: str


Known: TypeAlias = Mapping[str, KnownTarget]


def targets_of(specs: Sequence[Path], explicit: Path | None, project: Project) -> dict[str, KnownTarget]:
    """The targets of all targets files that the specs lead to. Raises `UsageError` for mistakes in them."""
    meant.check(specs, of_targets=True)
    found: dict[str, KnownTarget] = {}
    read: dict[Path, Mapping[str, Target]] = {}
    for spec in specs or (Path(),):
        beside = spec / "any" if spec.is_dir() else spec
        file = find_targets(beside, explicit=explicit, environment=os.environ)
        if file is not None and file.resolve() not in read:
            read[file.resolve()] = open_targets(file, project)
        targets = without_file(beside) if file is None else read[file.resolve()]
        where = f"{searched(beside.parent)}, so there is only the sandbox" if file is None else called(file)
        for name, target in targets.items():
            found.setdefault(name, KnownTarget(target=target, file=file, where=where))
    _refuse_mistakes(project)
    return found


def only(known: Known) -> tuple[str, ...]:
    """The one site there is, or the one target. Raises `UsageError` where that is no choice of one, and where there is
    neither a targets file nor the sandbox that needs none.
    """
    if not any(one.file or _has_folder(one.target) for one in known.values()):
        raise UsageError(Problem(code="E140", message="there is no target here", hint=_elsewhere(known)))
    sites = [name for name, one in known.items() if isinstance(one.target, SiteTarget)]
    names = sites or list(known)
    if len(names) == 1:
        return tuple(names)
    listed = ", ".join(f"`{name}`" for name in names)
    raise UsageError(Problem(code="E140", message="which target?", hint=f"name one with `-t`: {listed}"))


def named(name: str, known: Known, project: Project) -> KnownTarget:
    """The target called `name`. Raises `UsageError` for one that is not known, or whose doubles have mistakes."""
    if is_outside(name):
        found = outside(name, environment=os.environ)
        if isinstance(found, tuple):
            raise UsageError(*found)
        return KnownTarget(target=found, file=None, where="not needed")
    if name in known:
        check_doubles(known[name].target, project)
        _refuse_mistakes(project)
        return known[name]
    if not any(one.file for one in known.values()):
        hint = _elsewhere(known)
    else:
        files = " and ".join(dict.fromkeys(one.where for one in known.values() if one.file))
        hint = did_you_mean(name, known) or f"known in {files}: {', '.join(f'`{one}`' for one in known)}"
    raise UsageError(Problem(code="E141", message=f"unknown target `{name}`", hint=hint))


def _elsewhere(known: Known) -> str:
    return f"{next(iter(known.values())).where}: name the folder of the jobs, too, or `--targets FILE`"


def _has_folder(target: Target) -> bool:
    return isinstance(target, SandboxTarget) and target.folder.is_dir()


def _refuse_mistakes(project: Project) -> None:
    if project.errors:
        raise UsageError(*dict.fromkeys(project.problems))
