"""Files that `runner init` writes. None that is there already is written over."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from runner.foundation import whole_files
from runner.foundation.problems import Problem, UsageError
from runner.reports.safe import padded, safe, width
from runner.terminal import output

ADDED_TO = ".gitignore"  # every new repository has this file: our lines are added to it


class NewFile(Struct, frozen=True, kw_only=True):
    path: Path
    text: str
    what: str
    may_be_there: bool = False


def write_files(files: Sequence[NewFile]) -> list[Path]:
    """Write the files; those that were there, as they were. Raises `UsageError` before anything is written."""
    taken = dict.fromkeys(found for file in files if (found := _obstacle(file)) is not None)
    if taken:
        message = f"there already, so nothing was written: {', '.join(map(str, taken))}"
        raise UsageError(Problem(code="E153", message=message, hint="choose another folder: `runner init FOLDER`"))
    done: list[tuple[str, NewFile]] = []
    try:
        for file in files:
            done.append((_write(file), file))  # noqa: PERF401  what was done before a fault is undone
    except UsageError:
        for did, file in done:
            if did == "wrote":
                file.path.unlink(missing_ok=True)  # so that the same command can be given again
        raise
    rows = [(did, safe(str(file.path)), file.what) for did, file in done]
    cells = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for did, path, what in rows:
        output.data(f"{padded(did, cells[0])} {padded(path, cells[1])}  {what}\n")
    return [file.path for did, file in done if did == "left"]


def _obstacle(file: NewFile) -> Path | None:
    """The file, if it is there and must not be, or what is no folder in the place of a folder."""
    path = file.path
    if file.may_be_there and path.is_file():
        return None
    if os.path.lexists(path):
        return path
    above = next((folder for folder in path.parents if os.path.lexists(folder)), None)
    return None if above is None or above.is_dir() else above


def _write(file: NewFile) -> str:
    """Write a file where there is none, or add our lines; what was done. Raises `UsageError`."""
    try:
        if file.may_be_there and file.path.is_file():
            return _add_lines(file) if file.path.name == ADDED_TO else "left"
        file.path.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write_text(file.path, file.text, new=True)
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise UsageError(Problem(code="E153", message=f"{file.path} cannot be written: {why}")) from error
    return "wrote"


def _add_lines(file: NewFile) -> str:
    there = file.path.read_text(encoding="utf-8")
    more = [line for line in file.text.splitlines() if line not in there.splitlines()]
    if not more:
        return "left"
    separated = there if there.endswith("\n") or not there else f"{there}\n"
    whole_files.write_text(file.path, separated + "\n".join(more) + "\n")
    return "added to"
