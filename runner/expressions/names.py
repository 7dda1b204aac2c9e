"""What an expression uses of its surroundings, and which functions it may call there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from runner.foundation.values import Path


@dataclass(frozen=True, slots=True)
class Name:
    """A name and the keys behind it, as far as they are written out: `steps.read.result[0]`.

    `line` counts from 0 within the parsed text. `dynamic`: a computed subscript follows.
    """

    path: Path
    line: int
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A path that is compared with a text that is written out: `steps.read.status == "passed"`, or one in a list.

    `within`: it is looked for in the text, as in `steps.read.status in "passed, failed"`.
    """

    path: Path
    text: str
    line: int
    within: bool = False


Functions: TypeAlias = Mapping[str, int]
"""The functions of a place, and how many texts each takes."""

OF_JOBS: Functions = {"uuid": 1, "success": 0, "failure": 0, "always": 0}
OF_TARGETS: Functions = {"file": 1}
