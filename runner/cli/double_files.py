"""Files of doubles that a command writes: which codes have one already, where a new one goes. None is written over."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runner.catalogue.doubles import NewDouble
from runner.cli import output
from runner.foundation.problems import Problem, UsageError
from runner.foundation.raw import record, text
from runner.project.paths import called
from runner.reading.document import Document
from runner.reading.load import read
from runner.targets.folders import ENDING, doubles_in

_FIT_FOR_A_FILE: Final = re.compile(r"\w[\w.-]{0,199}")


def codes_in(folder: Path) -> Mapping[str, Path]:
    """The codes that have a double, also one with mistakes. Raises `UsageError` where the folder is none."""
    if not folder.exists():
        return {}
    try:
        files = doubles_in(folder)
    except OSError as error:
        message = f"the folder `{called(folder)}` cannot be read: {error.strerror or error}"
        raise UsageError(Problem(code="E100", message=message)) from error
    documents = [(file, read(file, name=called(file))) for file in files]
    codes = [(text(record(one.data), "process"), file) for file, one in documents if isinstance(one, Document)]
    return {code: file for code, file in codes if code is not None}


def place_of(one: NewDouble, folder: Path) -> Path | None:
    return folder / f"{one.code}{ENDING}" if _FIT_FOR_A_FILE.fullmatch(one.code) else None


def create(path: Path | None, content: str) -> None:
    """Raises `UsageError` where it cannot be written, or has come in the meantime."""
    assert path is not None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(content)
    except OSError as error:
        message = f"{called(path)} cannot be written: {error.strerror or error}"
        raise UsageError(Problem(code="E153", message=message)) from error
    output.data(f"wrote {called(path)}\n")
