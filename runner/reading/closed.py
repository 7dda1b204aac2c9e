"""Problems of a file whose lines are not shown, since it may hold secrets; messages name keys only."""

import re
from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.reading.document import Document
from runner.reading.source import EVERY_LINE
from runner.secrets.shown import STARS

_KEY = lazy_pattern(r"(?m)^(?:\{|[\"']?[A-Za-z_][\w .-]*[\"']?[ \t]*:(?:\s|\Z))")
_QUOTED = lazy_pattern(r"""`([^`]+)`|"([^"]+)"|(?<=: )'(.+)'(?=$|,)""")
_WORD = lazy_pattern(r"\w{2,}")


def looks_like_a_mapping(text: str) -> bool:
    """Whether a text that cannot be read was to be a mapping: a line of it begins with a key."""
    return "\0" not in text and _KEY.search(text) is not None


def without_lines(document: Document) -> Document:
    return replace(document, source=replace(document.source, hidden=EVERY_LINE))


def without_text(problems: Iterable[Problem], text: str) -> tuple[Problem, ...]:
    """`problems` of a file that holds `text`, without its line and without what they quote of it."""
    words = set(_WORD.findall(text))
    return tuple(
        replace(without_words(problem, words, is_open=lambda quoted: _is_key(quoted, text)), excerpt=None)
        for problem in problems
    )


def without_words(problem: Problem, words: Collection[str], *, is_open: Callable[[str], bool]) -> Problem:
    """`problem` with stars in place of quoted texts with these words, unless `is_open`."""

    def shown(found: re.Match[str]) -> str:
        quoted = found[1] or found[2] or found[3]
        is_secret = any(word in words for word in _WORD.findall(quoted)) and not is_open(quoted)
        return f"`{STARS}`" if is_secret else found[0]

    hint = None if problem.hint is None else _QUOTED.sub(shown, problem.hint)
    return replace(problem, message=_QUOTED.sub(shown, problem.message), hint=hint)


def _is_key(quoted: str, text: str) -> bool:
    return re.search(rf"(?m)^[ \t-]*[\"']?{re.escape(quoted)}[\"']?[ \t]*:(?:\s|\Z)", text) is not None
