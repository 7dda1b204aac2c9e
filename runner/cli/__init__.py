"""The command line."""

import os
import sys
from importlib import import_module

from runner.foundation.lazy import lazy_patterns, stand_in


def import_libraries() -> None:
    """Import msgspec and click without what nobody uses (2 % of `validate`), after `entry` has set signal handlers."""
    if "msgspec" not in sys.modules:
        with (
            stand_in("typing_extensions"),
            stand_in("platform", system=lambda: os.uname().sysname),  # what `uuid` asks it for
            stand_in("msgspec.inspect", "type_info"),
            stand_in("msgspec._json_schema", "schema", "schema_components"),
        ):
            del vars(import_module("msgspec"))["inspect"]  # who asks for schemas after all finds the real module

    def as_many(one: str, several: str, number: int) -> str:
        return one if number == 1 else several

    with lazy_patterns(), stand_in("gettext", gettext=lambda text: text, ngettext=as_many):
        import_module("click")
