"""The command line.

click looks for a translation of each of its texts. There are none, and to look for them takes 1 % of a start.
"""

import os
import sys
from importlib import import_module

from runner.foundation.lazy import lazy_patterns, stand_in


def _as_it_is(text: str) -> str:
    return text


def _as_many(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def _system() -> str:
    """As `platform.system()` has it on all systems where `uuid` asks for it."""
    return os.uname().sysname


def import_libraries() -> None:
    """Not with this package: a signal that comes meanwhile is to find the handler that `entry` has set.

    `typing_extensions` has nothing for msgspec that `typing` does not have from Python 3.11 on, and nobody asks it for
    schemas of records: 2 % of `validate`.
    """
    if "msgspec" not in sys.modules:
        with (
            stand_in("typing_extensions"),
            stand_in("platform", system=_system),
            stand_in("msgspec.inspect", "type_info"),
            stand_in("msgspec._json_schema", "schema", "schema_components"),
        ):
            del vars(import_module("msgspec"))["inspect"]  # who asks for schemas after all finds the real one
    with lazy_patterns(), stand_in("gettext", gettext=_as_it_is, ngettext=_as_many):
        import_module("click")
