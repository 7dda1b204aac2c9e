"""httpx, httpcore and h11, imported without what they bring along where it is installed. Import them from here.

httpx ends with its command line, which brings click, rich and pygments: 86 ms against 53 ms (median of 7 starts).
httpcore looks for trio and anyio, whose clients nobody uses here: trio alone is 37 ms.
None in `sys.modules` makes those imports fail, which both meet as they do where the things are not installed;
afterwards they can be imported again.
"""

import sys
from types import ModuleType

_LEFT_OUT = ("httpx._main", "trio", "anyio")

_modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # Python allows None
for _name in _LEFT_OUT:
    _modules.setdefault(_name, None)
import h11  # noqa: E402  it must come after the lines above
import httpcore  # noqa: E402  likewise
import httpx  # noqa: E402  likewise

for _name in _LEFT_OUT:
    if _modules[_name] is None:
        del _modules[_name]

__all__ = ["h11", "httpcore", "httpx"]
