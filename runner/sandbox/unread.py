"""Files beside the doubles that are meant for the sandbox, and that it does not read for their names."""

import re
from collections.abc import Iterator
from pathlib import Path

from runner.foundation.problems import Problem
from runner.reading.files import beginning, passed_over
from runner.targets.folders import ENDING, RECORDS

_LIKE_A_DOUBLE = re.compile(r"(.+?)\.process(?:es)?(?:\.ya?ml)?(?:\.txt)?|(.+?)\.ya?ml", re.IGNORECASE)
_LIKE_RECORDS = re.compile(r"records?\.ya?ml(?:\.txt)?", re.IGNORECASE)
_IS_OURS = re.compile(rb"(?m)^runner:[ \t]*1\b")
_OF_A_PROCESS = re.compile(rb"(?m)^process:[ \t]*\S")


def check(folder: Path) -> Iterator[Problem]:
    """A warning for each such file; `folder` was read before."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(ENDING) or path.name == RECORDS:
            continue
        if _LIKE_RECORDS.fullmatch(path.name) and path.is_file():
            message = f"these records are not read: the first records stand in {RECORDS}"
            yield passed_over(message, name=str(path), instead=RECORDS)
        elif (found := _LIKE_A_DOUBLE.fullmatch(path.name)) and path.is_file() and _is_a_double(path):
            message = f"this double is not read: its name must end in {ENDING}"
            yield passed_over(message, name=str(path), instead=f"{found[1] or found[2]}{ENDING}")


def _is_a_double(path: Path) -> bool:
    start = beginning(path)
    return _IS_OURS.search(start) is not None and _OF_A_PROCESS.search(start) is not None
