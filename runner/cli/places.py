"""Where a command may write what it was asked for: never over a file that it reads, or that somebody wrote by hand.

A report or a plan of before is written over: it begins with the mark of its kind, and nothing else does.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from runner.foundation.problems import Problem
from runner.reading.files import beginning

_BLANK = b"\xef\xbb\xbf \t\r\n"


def taken(place: Path, *, what: str, mark: re.Pattern[bytes], read: Iterable[Path]) -> Problem | None:
    """Why `what` must not be written to `place`. `mark` is how such a file begins, `read` what the command reads.

    What is no file, such as a device, takes all that is written to it, and an empty file is nobody's. Of one that
    cannot be read whoever writes it tells.
    """
    if not place.is_file():
        return None
    if any(_is_same(place, other) for other in read):
        return _refused(f"{what} cannot be written to {place}: this command reads it")
    there = beginning(place).lstrip(_BLANK)
    if not there or mark.match(there):
        return None
    return _refused(f"{what} cannot be written to {place}: it is there already, and holds something else")


def _is_same(place: Path, other: Path) -> bool:
    try:
        return other.is_file() and place.samefile(other)
    except (OSError, ValueError):
        return False


def _refused(message: str) -> Problem:
    return Problem(code="E153", message=message, hint="choose another name")
