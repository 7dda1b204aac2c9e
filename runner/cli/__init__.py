"""The command line.

click looks for a translation of each of its texts. There are none, and to look for them takes 1 % of a start.
"""

import os
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

    `typing_extensions` has nothing for msgspec that `typing` does not have from Python 3.11 on.
    """
    with stand_in("typing_extensions"), stand_in("platform", system=_system):
        import_module("msgspec")
    with lazy_patterns(), stand_in("gettext", gettext=_as_it_is, ngettext=_as_many):
        import_module("click")
