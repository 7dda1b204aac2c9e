"""httpx and h11, imported without what httpx brings along where it is installed. Import them from here.

httpx ends with its command line, which brings click, rich and pygments: 86 ms against 53 ms (median of 7 starts).
None in `sys.modules` makes that import fail, which httpx meets as it does where the command line is not installed;
afterwards it can be imported again.
"""

import sys
from types import ModuleType

_COMMAND_LINE = "httpx._main"

_modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # Python allows None
_modules.setdefault(_COMMAND_LINE, None)
import h11  # noqa: E402  it must come after the line above
import httpx  # noqa: E402  likewise

if _modules[_COMMAND_LINE] is None:
    del _modules[_COMMAND_LINE]

__all__ = ["h11", "httpx"]
