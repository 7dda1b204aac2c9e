"""`runner init`: starts a project that runs at once, and writes over no file: none of the project itself must be there,
and what other tools read is left as it is.
"""

import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli import output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.json_schema.schemas import shipped_text
from runner.reports.safe import safe
from runner.version import VERSION

_TEMPLATES = Path(__file__).parent / "init_files"

FILES = {
    "hello.job.yaml": ("hello.job.yaml", "a job"),
    "targets.yaml": ("targets.yaml", "where jobs go: the sandbox, and a site to fill in"),
    "sandbox/UsrGreet.process.yaml": ("greet.process.yaml", "the double of a process"),
    ".vscode/settings.json": ("settings.json", "completion and checks in VS Code"),
    ".pre-commit-config.yaml": ("pre-commit.yaml", "checks before each commit"),
    ".github/workflows/creatio.yml": ("workflow.yml", "checks and a rehearsal in CI"),
    ".gitignore": ("gitignore", "runs are not for git"),
}
"""What is written where, from which template, and what it is. A template's own name begins with no dot: such a file
would count for the repository that holds it.
"""

SCHEMAS = ("job", "targets", "process")
_OF_OTHERS = (".vscode/settings.json", ".pre-commit-config.yaml", ".github/workflows/creatio.yml")
"""Files that other tools read, and that a repository has already."""

_ADDED_TO = ".gitignore"
"""Every new repository has one: what is ours is added to it."""
_AT_THE_ROOT = (".pre-commit-config.yaml", ".github")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is to be written."""

    path: Path
    text: str
    what: str
    may_be_there: bool = False


@click.command("init", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Start a project in FOLDER, the current one without: a job, targets, a double of a process, JSON Schemas for
    editors, and entries for VS Code, pre-commit, GitHub and git.

    \b
    Example:
      runner init smoke && runner run smoke

    No file that is there already is written over: where it is the job, the targets, the double or a schema, nothing is
    written at all, and the exit code is 2. Files for VS Code, pre-commit and GitHub are left as they are, and told; to
    a .gitignore a line is added.
    """
    folder: Path = context.params["folder"]
    root = _checkout(folder)
    files = list(new_files(folder, called=_from(root, folder)))
    _refuse_what_is_in_the_way(files)
    done = [(_written(file), file) for file in files]
    cells = [max(map(len, column)) for column in zip(*((did, str(file.path)) for did, file in done), strict=True)]
    for did, file in done:
        output.data(f"{did:{cells[0]}} {safe(str(file.path)):{cells[1]}}  {file.what}\n")
    if root != folder.resolve():
        names = " and ".join(_AT_THE_ROOT)
        output.data(f"\n{names} count only at the root of the checkout: move them to {safe(str(root))}\n")
    output.data(f"\nnext: runner run {safe(shlex.quote(str(folder)))}\n")
    return ExitCode.PASSED


def new_files(folder: Path, *, called: str) -> Iterator[NewFile]:
    """The files of a project; `called` is the folder's name in commands that are given at the root of the checkout."""
    for name, (template, what) in FILES.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        filled = text.replace("@FOLDER@", shlex.quote(called)).replace("@VERSION@", VERSION)
        yield NewFile(path=folder / name, text=filled, what=what, may_be_there=name in (*_OF_OTHERS, _ADDED_TO))
    for schema in SCHEMAS:
        path = folder / "schema" / f"{schema}.schema.json"
        yield NewFile(path=path, text=shipped_text(schema), what=f"`runner schema {schema}`, for editors")


def _checkout(folder: Path) -> Path:
    """The root of the checkout that the folder lies in, else the folder itself."""
    whole = folder.resolve()
    return next((above for above in (whole, *whole.parents) if (above / ".git").exists()), whole)


def _from(root: Path, folder: Path) -> str:
    return folder.resolve().relative_to(root).as_posix()


def _refuse_what_is_in_the_way(files: Iterable[NewFile]) -> None:
    """Raise `UsageError` where one of the files, or something that is no folder in the place of one, is there."""
    taken = dict.fromkeys(found for file in files if (found := _in_the_way(file)) is not None)
    if taken:
        message = f"there already, so nothing was written: {', '.join(map(str, taken))}"
        raise UsageError(Problem(code="E153", message=message, hint="choose another folder: `runner init FOLDER`"))


def _in_the_way(file: NewFile) -> Path | None:
    path = file.path
    if file.may_be_there and path.is_file():
        return None
    if os.path.lexists(path):
        return path
    above = next((folder for folder in path.parents if os.path.lexists(folder)), None)
    return None if above is None or above.is_dir() else above


def _add(file: NewFile) -> str:
    """Add the lines that are not there yet; what was done."""
    there = file.path.read_text(encoding="utf-8")
    more = [line for line in file.text.splitlines() if line not in there.splitlines()]
    if not more:
        return "left"
    separated = there if there.endswith("\n") or not there else f"{there}\n"
    file.path.write_text(separated + "\n".join(more) + "\n", encoding="utf-8", newline="\n")
    return "added to"


def _written(file: NewFile) -> str:
    """Write a file where there is none; what was done. Raises `UsageError` where it cannot be written."""
    try:
        if file.may_be_there and file.path.is_file():
            return _add(file) if file.path.name == _ADDED_TO else "left"
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with file.path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(file.text)
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise UsageError(Problem(code="E153", message=f"{file.path} cannot be written: {why}")) from error
    return "wrote"
