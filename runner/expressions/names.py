"""What an expression uses of its surroundings, and which functions it may call there."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from runner.foundation.values import ValuePath


class Name(Struct, frozen=True, gc=False):
    """A name and its literal keys: `steps.read.result[0]`."""

    path: ValuePath
    line: int  # counts from 0 within the text
    dynamic: bool = False  # a computed subscript follows


Functions: TypeAlias = Mapping[str, int]  # the functions of a place, and how many texts each takes

JOB_FUNCTIONS: Final[Functions] = {"uuid": 1, "success": 0, "failure": 0, "always": 0}
TARGET_FUNCTIONS: Final[Functions] = {"file": 1}

FOREIGN_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("NULL", "Null", "null", "nil"), "none"),
    "undefined": "… is undefined",
    "TRUE": "true",
    "FALSE": "false",
}
"""Constants of other languages, and what to write. Every path is searched here, so this is no table of hints."""
