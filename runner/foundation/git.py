"""The checkout of a job: its commit, for reports, and what has changed since a commit, for who asks."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

_SECONDS = 5
_PATIENCE = 60
_HASH = "# branch.oid "


class Checkout(Struct, frozen=True, kw_only=True):
    """`commit` is the full hash of HEAD; `dirty`: files that it holds were changed. None is not known."""

    commit: str | None = None
    dirty: bool | None = None


def checkout_of(folder: Path) -> Checkout:
    """What git knows of `folder`; nothing where it lies in no checkout, or there is no git."""
    status = _output(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    lines = [] if status is None else status.splitlines()
    commit = next((line.removeprefix(_HASH) for line in lines if line.startswith(_HASH)), None)
    if commit is None or commit == "(initial)":
        return Checkout()
    return Checkout(commit=commit, dirty=any(not line.startswith("#") for line in lines))


def main_branch_of(folder: Path) -> str | None:
    """The branch that a new clone begins with, else the branch that is checked out; None where git knows neither."""
    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        branch = _output(folder, "symbolic-ref", "--quiet", "--short", name)
        if branch is not None:
            return branch.strip().removeprefix("origin/")
    return None


def was_deleted(path: Path) -> bool:
    """Whether git had this file, which is not there any more: in the commit that is checked out, or before."""
    folder = next(above for above in path.absolute().parents if above.is_dir())
    name = f"./{path.absolute().relative_to(folder).as_posix()}"
    if _output(folder, "cat-file", "-e", f"HEAD:{name}") is not None:
        return True
    return bool(_output(folder, "log", "--diff-filter=D", "--max-count=1", "--format=%h", "--", name))


def _output(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where `folder` lies in no checkout, there is no git, or it fails."""
    if not any((above / ".git").exists() for above in (folder.absolute(), *folder.absolute().parents)):
        return None
    try:
        return _asked(folder, *arguments, seconds=_SECONDS).decode(errors="replace")
    except GitError:
        return None


class GitError(Exception):
    """Git cannot say what has changed; the text says why, `hint` what to do."""

    def __init__(self, why: str, *, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


class FileChange(StrEnum):
    """What became of a file since a commit. `NOT_IN_GIT`: git does not watch it, so nobody knows."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    NOT_IN_GIT = "not in git"


class GitChanges(Struct, frozen=True, kw_only=True):
    """How the files of a checkout differ from a commit, with uncommitted and new files."""

    root: Path
    commit: str  # the full hash
    changed: Mapping[Path, FileChange]  # by real paths
    watched: frozenset[Path]

    def of(self, path: Path) -> FileChange | None:
        """What became of a file, or of a link on the way to it; None where it is as it was."""
        places = self._places(path)
        if (change := self._first_of(places)) is not None:
            return change
        return None if all(map(self._is_watched, places)) else FileChange.NOT_IN_GIT

    def below(self, folder: Path) -> dict[Path, FileChange]:
        """The changed files below a folder. A changed submodule, or linked folder, has changed as a whole."""
        real = Path(os.path.realpath(folder))
        changed = {path: change for path, change in self.changed.items() if path.is_relative_to(real)}
        change = self._first_of(self._places(folder))
        if change is None and not self._is_watched(real):
            is_empty = not any(path.is_relative_to(real) for path in self.watched)
            change = FileChange.NOT_IN_GIT if is_empty else None
        if change is None:
            return changed
        return {path: change for path in real.rglob("*") if path.is_file()} | changed

    def _places(self, path: Path) -> list[Path]:
        """The links of the checkout on the way to a file, and its real path at last."""
        links = [link for link in _links(path) if link.is_relative_to(self.root)]
        return [*links, Path(os.path.realpath(path))]

    def _first_of(self, places: Sequence[Path]) -> FileChange | None:
        """What became of a file or link, or of the submodule that it is in."""
        ways = (way for place in places for way in (place, *place.parents))
        return next((self.changed[way] for way in ways if way in self.changed), None)

    def _is_watched(self, place: Path) -> bool:
        return place in self.watched or not self.watched.isdisjoint(place.parents)

    def before(self, path: Path) -> bytes | None:
        """The content of a file at the commit; None where it was not there, or a link led elsewhere."""
        if self._first_of(self._places(path)[:-1]) is not None:
            return None
        name = Path(os.path.realpath(path)).relative_to(self.root).as_posix()
        try:
            return _asked(self.root, "cat-file", "blob", f"{self.commit}:{name}")
        except GitError:
            return None


def _links(path: Path) -> Iterator[Path]:
    """The links on the way to a file, each in the real folder that it is in."""
    whole = path.absolute()
    if whole == Path(os.path.realpath(path)) or not whole.exists():  # as it does not for links in a circle
        return
    for step in (*reversed(whole.parents), whole):
        place = Path(os.path.realpath(step.parent)) / step.name
        if place.is_symlink():
            yield place
            yield from _links(place.parent / place.readlink())


def changes_since(revision: str, folder: Path) -> GitChanges:
    """What differs in the checkout that `folder` lies in from a commit. Raises `GitError`."""
    try:
        root = Path(os.fsdecode(_asked(folder, "rev-parse", "--show-toplevel")).rstrip("\n"))
    except GitError as error:
        why = f"{folder} is in no checkout of git: {error}"
        raise GitError(why, hint="call the command in a checkout, or without `--changed-since`") from error
    commit = _commit(root, revision)
    how = ("--name-status", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z")
    found = _asked(root, "diff", *how, commit, "--")
    parts = [os.fsdecode(part) for part in found.split(b"\0")[:-1]]
    changed = {
        root / name: _CHANGES.get(word, FileChange.MODIFIED) for word, name in zip(parts[::2], parts[1::2], strict=True)
    }
    for name in _names(root, "--others", "--exclude-standard"):
        changed.setdefault(root / name, FileChange.ADDED)
    watched = frozenset(root / name for name in _names(root))
    return GitChanges(root=root, commit=commit, changed=changed, watched=watched)


_CHANGES: Final = {"A": FileChange.ADDED, "D": FileChange.DELETED}


def _names(root: Path, *which: str) -> list[str]:
    return [os.fsdecode(name) for name in _asked(root, "ls-files", "-z", *which).split(b"\0")[:-1]]


def _commit(root: Path, revision: str) -> str:
    try:
        return (
            _asked(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
            .decode()
            .strip()
        )
    except GitError as error:
        is_shallow = _asked(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
        hint = "name a commit, a branch or a tag: `origin/main`, `HEAD~1`"
        if is_shallow:
            hint = (
                "this checkout is shallow: `git fetch --unshallow` fetches the rest, in GitHub Actions `fetch-depth: 0`"
            )
        raise GitError(f"git knows no commit `{revision}`", hint=hint) from error


def _asked(folder: Path, *arguments: str, seconds: float = _PATIENCE) -> bytes:
    """What git answers. Raises `GitError`."""
    try:
        asked = subprocess.run(  # noqa: S603  a revision is never taken for an option
            ["git", "-C", str(folder), "--no-optional-locks", *arguments],  # noqa: S607  git is where the user's PATH has it
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GitError(f"git cannot be called: {error}", hint="install git, and let PATH lead to it") from error
    if asked.returncode != 0:
        lines = asked.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[-1] if lines else f"exit {asked.returncode}", hint="")
    return asked.stdout
