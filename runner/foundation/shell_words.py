"""Words of a printed command: for bash and zsh; on Windows for PowerShell, and where double quotes do for cmd.exe."""

import os
import shlex
from collections.abc import Iterable
from typing import Final

from runner.foundation.lazy import lazy_pattern

_IS_WINDOWS: Final = os.name == "nt"
_PLAIN: Final = lazy_pattern(r"[\w./\\:=+-][\w./\\:=+@-]*")
_EXPANDED: Final = lazy_pattern('["$`%!\u201c-\u201e]|\\\\$')
"""What double quotes do not protect in PowerShell or in cmd.exe, whose programs take a last backslash for an escape."""
_SINGLE: Final = lazy_pattern("['\u2018-\u201b]")  # each of these is a single quote to PowerShell


def shell_word(text: str, *, windows: bool = _IS_WINDOWS) -> str:
    if not windows:
        return shlex.quote(text)
    if _PLAIN.fullmatch(text):
        return text
    return "'" + _SINGLE.sub(r"\g<0>\g<0>", text) + "'" if _EXPANDED.search(text) else f'"{text}"'


def shell_words(words: Iterable[str]) -> str:
    return " ".join(map(shell_word, words))
