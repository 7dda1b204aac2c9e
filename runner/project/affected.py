"""Which jobs have changed since a commit in git: by their files, cases, target, doubles, catalogue and packages.

What git does not watch counts as changed.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct, field

from runner.catalogue.model import ENDING, Catalogue
from runner.catalogue.read import catalogue_in
from runner.foundation.git import FileChange, GitChanges, GitError, changes_since
from runner.foundation.problems import Problem, UsageError
from runner.foundation.values import Json, JsonObject, record, text
from runner.language.schema import check
from runner.lint.uses import changed_entities, started
from runner.packages.finding import DESCRIPTOR
from runner.project.job_files import JobFile
from runner.project.project import Project
from runner.reading.document import Document
from runner.reading.files import display_path
from runner.reading.load import load
from runner.targets.files import places_of_targets
from runner.targets.folders import ENDING as DOUBLE
from runner.targets.folders import RECORDS, doubles_in
from runner.targets.model import SandboxTarget, SiteTarget


class ChangeReason(Struct, frozen=True, kw_only=True):
    """Why a job is affected: a file, what became of it, its role, the process or target that it is about, if any."""

    file: str
    change: FileChange
    role: str
    name: str | None = None

    @property
    def sentence(self) -> str:
        about = f" `{self.name}`" if self.name else ""
        return f"{self.file} ({self.role}{about}): {self.change}"


class AffectedJobs(Struct, kw_only=True):
    """`targets` are the names that a command gives in the place of the jobs' own; `catalogue` is what it names."""

    revision: str
    project: Project
    targets: Sequence[str] = ()
    catalogue: Path | None = None
    _changes: dict[Path, GitChanges] = field(default_factory=dict)
    _sandboxes: dict[Path, dict[Path, FileChange]] = field(default_factory=dict)
    _packages: dict[Path, frozenset[str]] = field(default_factory=dict)

    def reasons(self, file: JobFile) -> tuple[ChangeReason, ...]:
        """Why a job is affected; none where all is as it was. Raises `UsageError` where git cannot say."""
        return tuple(dict.fromkeys(self._reasons(file)))

    def _reasons(self, file: JobFile) -> Iterator[ChangeReason]:
        own = file.document.file
        for name in file.documents:
            yield from self._file(Path(name), "job" if name == own else "included job")
        cases = record(file.document.data).get("cases")
        if isinstance(cases, str):
            yield from self._file(Path(os.path.realpath(own)).parent / cases, "cases")
        codes = frozenset(code.partition(",")[0] for code in started(file.outlines.values()))
        for name in self.targets or (str(record(file.document.data).get("target")),):
            yield from self._target(file, name, codes)

    def _file(self, path: Path, role: str, name: str | None = None) -> Iterator[ChangeReason]:
        change = self._since(path).of(path)
        if change is not None:
            yield ChangeReason(file=display_path(path), change=change, role=role, name=name)

    def _since(self, path: Path) -> GitChanges:
        """The changes of the checkout that a file is in; a file outside of all is in none, and not in git."""
        folder = next(parent for parent in Path(os.path.realpath(path)).parents if parent.is_dir())
        known = next((found for found in self._changes.values() if folder.is_relative_to(found.root)), None)
        if known is None:
            try:
                known = changes_since(self.revision, folder)
            except GitError as error:
                message = f"`--changed-since {self.revision}` cannot be answered: {error}"
                raise UsageError(Problem(code="E187", message=message, hint=error.hint or None)) from error
            self._changes[known.root] = known
        return known

    def _target(self, file: JobFile, name: str, codes: frozenset[str]) -> Iterator[ChangeReason]:
        target = file.targets.get(name)
        if file.targets_file is not None and target is not None:
            yield from self._entry(file, file.targets_file, name)
        if isinstance(target, SiteTarget) and target.ca_file is not None and "{{" not in target.ca_file:
            yield from self._file(target.beside / target.ca_file, "authorities", name)
        match target:
            case SandboxTarget(folder=folder):
                yield from self._doubles(folder, codes, changed_entities(file.outlines.values()))
            case SiteTarget() if self.catalogue is None and file.targets_file is not None:
                beside = file.targets_file.parent / f"{name}{ENDING}"
                if "/" not in name:
                    yield from self._catalogue(beside, codes)
            case _:
                pass
        if self.catalogue is not None:
            yield from self._catalogue(self.catalogue, codes)

    def _entry(self, file: JobFile, targets_file: Path, name: str) -> Iterator[ChangeReason]:
        """The target itself, where it has changed in the targets file, or was in a nearer file that is deleted."""
        places = places_of_targets(Path(file.document.file))
        nearer = places[: places.index(targets_file)] if targets_file in places else []
        for path in (*(each for each in nearer if self._since(each).of(each) is FileChange.DELETED), targets_file):
            for reason in self._file(path, "target", name):
                before = _data(self._since(path).before(path))
                now = _data(targets_file.read_bytes())
                if record(before.get("targets")).get(name) != record(now.get("targets")).get(name):
                    yield reason

    def _doubles(self, folder: Path, codes: frozenset[str], entities: frozenset[str]) -> Iterator[ChangeReason]:
        """The doubles of processes that a job starts, also by a change of `entities`, and its sandbox's records."""
        since = self._since(folder / RECORDS)
        if folder not in self._sandboxes:
            there = doubles_in(Path(os.path.realpath(folder))) if folder.is_dir() else []
            not_watched = {path: change for path in there if (change := since.of(path)) is not None}
            self._sandboxes[folder] = since.below(folder) | not_watched
        for path, change in self._sandboxes[folder].items():
            if path.name == RECORDS:
                yield ChangeReason(file=display_path(path), change=change, role="records of the sandbox")
            elif path.name.endswith(DOUBLE):
                content = since.before(path) if change is FileChange.DELETED else path.read_bytes()
                process = text(double := _data(content), "process")
                started_too = {process, text(double, "of")} & codes or _entity(double) in entities
                if process is None or started_too:
                    yield ChangeReason(file=display_path(path), change=change, role="double", name=process)

    def _catalogue(self, path: Path, codes: frozenset[str]) -> Iterator[ChangeReason]:
        """What a catalogue says of the processes that a job starts, and the designs in the packages of git."""
        folders = [path] if path.is_dir() else []
        if path.is_file():
            now = _catalogue(path.read_bytes())
            folders = [Path(name) for name in now.packages if Path(name).is_dir()] if now is not None else []
            for reason in self._file(path, "catalogue"):
                before = _catalogue(self._since(path).before(path))
                for code in sorted(codes):
                    if before is None or now is None or before.processes.get(code) != now.processes.get(code):
                        yield ChangeReason(file=reason.file, change=reason.change, role=reason.role, name=code)
        for folder in folders:
            for code in sorted(codes & self._designs(folder)):
                yield ChangeReason(file=display_path(folder), change=FileChange.MODIFIED, role="packages", name=code)

    def _designs(self, folder: Path) -> frozenset[str]:
        """The processes in packages with a changed design, and all that refer to them."""
        if folder not in self._packages:
            from runner.packages.reading import read_packages, with_callers  # noqa: PLC0415  8 ms, where there are any

            since = self._since(folder / "any")
            changed = since.below(folder)
            gone = [
                path for path, change in changed.items() if change is FileChange.DELETED and path.name == DESCRIPTOR
            ]
            descriptors = [_descriptor(since.before(path)) for path in gone]
            packages = read_packages([folder])
            self._packages[folder] = with_callers(packages, {path.parent for path in changed}, gone=descriptors)
        return self._packages[folder]


def nothing_changed(specs: Sequence[Path], revision: str) -> str:
    """The sentence on jobs that are all as they were at a commit."""
    places = ", ".join(display_path(spec) for spec in specs)
    return f"no job in {places} has changed since `{revision}`"


def _data(content: bytes | None) -> JsonObject:
    """What a YAML file holds; nothing where it is not there, or is no YAML."""
    document = None if content is None else load("", content)
    data: Json = document.data if isinstance(document, Document) else None
    return record(data)


def _entity(double: JsonObject) -> str | None:
    """Whose changes start the process."""
    return text(record(double.get("starts_on")), "entity")


def _descriptor(content: bytes | None) -> JsonObject:
    try:
        written: Json = json.loads((content or b"").decode("utf-8-sig"))
    except ValueError:
        written = None
    return record(record(written).get("Descriptor"))


def _catalogue(content: bytes | None) -> Catalogue | None:
    """The catalogue in a file; None where there is none, or it has mistakes."""
    document = None if content is None else load("", content)
    return catalogue_in(document) if isinstance(document, Document) and not check(document, "catalog") else None
