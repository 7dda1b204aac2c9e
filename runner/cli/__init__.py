"""The command line."""

import os
import sys
from importlib import import_module

from runner.foundation.lazy import lazy_patterns, stand_in


def _as_it_is(text: str) -> str:
    return text


def _as_many(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


def _system() -> str:
    """The name of the system, as `platform.system()` has it where `uuid` asks for it."""
    return os.uname().sysname


def import_libraries() -> None:
    """Import msgspec and click without what nobody uses (2 % of `validate`), after `entry` has set signal handlers."""
    if "msgspec" not in sys.modules:
        with (
            stand_in("typing_extensions"),
            stand_in("platform", system=_system),
            stand_in("msgspec.inspect", "type_info"),
            stand_in("msgspec._json_schema", "schema", "schema_components"),
        ):
            del vars(import_module("msgspec"))["inspect"]  # who asks for schemas after all finds the real module
    with lazy_patterns(), stand_in("gettext", gettext=_as_it_is, ngettext=_as_many):
        import_module("click")
