"""What is made at its first use, since most commands never use it.

A regular expression takes 0.2 ms to compile on average: those of the whole program a tenth of a start.
"""

import re
from typing import Any, cast, overload


class _LazyPattern:
    """Compiled when its first method is asked for, which is then an attribute of its own."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self.pattern = source
        self.flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a pattern has
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self.pattern, self.flags), name)
        setattr(self, name, found)
        return found


@overload
def lazy_pattern(source: str, flags: int = 0) -> re.Pattern[str]: ...
@overload
def lazy_pattern(source: bytes, flags: int = 0) -> re.Pattern[bytes]: ...
def lazy_pattern(source: str | bytes, flags: int = 0) -> re.Pattern[Any]:
    """As `re.compile`, for its methods and attributes. A function of `re` does not take it in place of a pattern."""
    return cast("re.Pattern[Any]", _LazyPattern(source, flags))
