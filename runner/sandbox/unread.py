"""Files beside the doubles that are meant for the sandbox, and that it does not read for their names."""

import re
from collections.abc import Iterator
from pathlib import Path

from runner.problems import Problem, Severity

ENDING = ".process.yaml"
RECORDS = "records.yaml"
_LIKE_A_DOUBLE = re.compile(r"(.+?)\.process(?:es)?(?:\.ya?ml)?(?:\.txt)?|(.+?)\.ya?ml", re.IGNORECASE)
_LIKE_RECORDS = re.compile(r"records?\.ya?ml(?:\.txt)?", re.IGNORECASE)
_IS_A_DOUBLE = re.compile(rb"(?m)^process:[ \t]*\S")
_BEGINNING = 4096
"""Bytes of a file in which a double says of which process it is."""


def check(folder: Path) -> Iterator[Problem]:
    """A warning for each such file; `folder` was read before."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(ENDING) or path.name == RECORDS:
            continue
        if _LIKE_RECORDS.fullmatch(path.name) and path.is_file():
            yield _not_read(path, f"these records are not read: the first records stand in {RECORDS}", RECORDS)
        elif (found := _LIKE_A_DOUBLE.fullmatch(path.name)) and path.is_file() and _is_a_double(path):
            message = f"this double is not read: its name must end in {ENDING}"
            yield _not_read(path, message, f"{found[1] or found[2]}{ENDING}")


def _not_read(path: Path, message: str, name: str) -> Problem:
    hint = f"rename it to `{name}`"
    return Problem(code="E100", message=message, hint=hint, file=str(path), severity=Severity.WARNING)


def _is_a_double(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _IS_A_DOUBLE.search(file.read(_BEGINNING)) is not None
    except OSError:
        return False
