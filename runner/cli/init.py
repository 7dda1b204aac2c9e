"""`runner init`: starts a project that runs at once. It writes all of its files or none, and never over another one."""

import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli.verb import Verb
from runner.json_schema.schemas import shipped_text
from runner.problems import ExitCode, Problem, UsageError
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
_ADDED_TO = ".gitignore"
"""Every new repository has one: what is ours is added to it."""
_AT_THE_ROOT = (".pre-commit-config.yaml", ".github")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is to be written."""

    path: Path
    text: str
    what: str


@click.command("init", cls=Verb, short_help="Start a project that runs at once.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Start a project in FOLDER, the current one without: a job, targets, a double of a process, JSON Schemas for
    editors, and entries for VS Code, pre-commit, GitHub and git.

    \b
    Example:
      runner init smoke && runner run smoke

    A file that is there already is never written over: then nothing is written at all, and the exit code is 2.
    """
    folder: Path = context.params["folder"]
    root = _checkout(folder)
    files = list(new_files(folder, called=_from(root, folder)))
    _refuse_what_is_in_the_way(files)
    _write(files)
    cells = max(len(str(file.path)) for file in files)
    for file in files:
        click.echo(f"wrote {file.path!s:{cells}}  {file.what}")
    if root != folder.resolve():
        names = " and ".join(_AT_THE_ROOT)
        click.echo(f"\n{names} count only at the root of the checkout: move them to {root}")
    click.echo(f"\nnext: runner run {shlex.quote(str(folder))}")
    return ExitCode.PASSED


def new_files(folder: Path, *, called: str) -> Iterator[NewFile]:
    """The files of a project; `called` is the folder's name in commands that are given at the root of the checkout."""
    for name, (template, what) in FILES.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        filled = text.replace("@FOLDER@", shlex.quote(called)).replace("@VERSION@", VERSION)
        yield NewFile(path=folder / name, text=filled, what=what)
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
    taken = dict.fromkeys(found for file in files if (found := _in_the_way(file.path)) is not None)
    if taken:
        message = f"there already, so nothing was written: {', '.join(map(str, taken))}"
        raise UsageError(Problem(code="E153", message=message, hint="choose another folder: `runner init FOLDER`"))


def _in_the_way(path: Path) -> Path | None:
    if path.name == _ADDED_TO and path.is_file():
        return None
    if os.path.lexists(path):
        return path
    above = next((folder for folder in path.parents if os.path.lexists(folder)), None)
    return None if above is None or above.is_dir() else above


def _add(file: NewFile) -> None:
    """Add the lines that are not there yet."""
    there = file.path.read_text(encoding="utf-8")
    more = [line for line in file.text.splitlines() if line not in there.splitlines()]
    if more:
        separated = there if there.endswith("\n") or not there else f"{there}\n"
        file.path.write_text(separated + "\n".join(more) + "\n", encoding="utf-8", newline="\n")


def _write(files: list[NewFile]) -> None:
    for file in files:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            if file.path.name == _ADDED_TO and file.path.is_file():
                _add(file)
                continue
            with file.path.open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(file.text)
        except OSError as error:
            message = f"{file.path} cannot be written: {error.strerror or error}"
            raise UsageError(Problem(code="E153", message=message)) from error
