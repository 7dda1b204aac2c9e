"""Values that YAML reads otherwise than they look: warnings, for somebody may have meant them so.

A ` #` that ends a text, quotes of a word processor around one, the comma of JSON behind one, and the line break at the
end of a block of one line, which would be sent. Only where any text may stand: a wrong word of ours is told elsewhere.
"""

import re
from collections.abc import Collection, Iterator

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import Json, Path
from runner.reading.complaint import quote, quoted
from runner.reading.document import Document

_OPENING, _CLOSING = "\u201c\u201e\u2018\u201a", "\u201d\u201c\u2019\u2018"
"""Not those that the names of firms and books stand in, as in `«Ann»`: who writes them means them."""
_MAY_BE = re.compile(rf"#[0-9A-Fa-f]|[{_OPENING}]|,[ \t]*$|[|>][ \t]*(?:#.*)?$", re.MULTILINE)
"""What a file holds that is worth a closer look; each begins with a rare character, so that all else is passed over."""
_NO_COMMENT = re.compile(
    r"[ \t]+#(?:[0-9]+(?![./:]?[0-9])|[0-9A-Fa-f]{6}|([0-9A-Fa-f])\1\1|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{3})(?![\w-])"
)
"""A number, or a colour, as nobody begins a comment; a day, or a word such as `bad`, may begin one."""
_WITH_COMMA = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?|true|false|null),")
_BREAK_KEPT = re.compile(r"[|>][ \t]*(?:#.*)?$", re.MULTILINE)
_LONGEST = 60
_PROSE = frozenset({"description", "help", "message", "name", "caption", "confirm", "fail"})
_FREE = frozenset({"parameters", "vars", "inputs", "values", "set", "default", "auth", "headers"})


def check(document: Document, *, reported: Collection[Problem] = (), shown: bool = True) -> tuple[Problem, ...]:
    """Warnings, in the order of the file; none where something is `reported`. Hints repeat a value only if `shown`."""
    if not _MAY_BE.search(document.text):
        return ()
    told = {problem.path for problem in reported}
    found = (_warning(document, path, value, shown=shown) for path, value in _leaves(document.data, ()))
    return tuple(problem for problem in found if problem is not None and problem.path not in told)


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, str | None]]:
    match value:
        case dict():
            for key, part in value.items():
                yield from _leaves(part, (*path, key))
        case list():
            for index, part in enumerate(value):
                yield from _leaves(part, (*path, index))
        case str() | None:
            yield path, value


def _warning(document: Document, path: Path, value: str | None, *, shown: bool) -> Problem | None:
    said = None
    if _is_free(path):
        said = _comment(document, path) if value is None or document.is_bare(path) else _break(document, path, value)
    if said is None and value is not None and path[-1:] and path[-1] not in _PROSE and document.is_bare(path):
        said = _quotes(value) or _comma(value, path)
    if said is None:
        return None
    message, hint, careful = said
    hint = hint if shown else careful
    return document.problem("E109", message, path=path, hint=hint, severity=Severity.WARNING)


def _is_free(path: Path) -> bool:
    """Whether any text may stand there."""
    if path[:1] == ("inputs",) and "default" not in path:
        return path[-1] in _PROSE and len(path) > len(("inputs", "name"))
    return len(path) > 1 and (path[-1] in _PROSE or not _FREE.isdisjoint(path[:-1]) or path[-1] == "default")


_Said = tuple[str, str, str]
"""A message, a hint, and the hint without what stands in the file."""


def _comment(document: Document, path: Path) -> _Said | None:
    behind = document.rest_behind(path)
    if not _NO_COMMENT.match(behind):
        return None
    message = "a `#` behind a blank begins a comment: the value ends before it"
    careful = "put the whole text in quotes"
    return message, quote("the whole text", f"{document.written(path)}{behind}".strip()), careful


def _quotes(text: str) -> _Said | None:
    inner = text[1:-1]
    if len(text) < 2 or text[0] not in _OPENING or text[-1] not in _CLOSING:  # noqa: PLR2004  two quotes
        return None
    if any(character in _OPENING + _CLOSING for character in inner):
        return None
    message = f"`{text[0]}` and `{text[-1]}` are a part of the text: to YAML they are no quotes"
    careful = "write straight quotes"
    return message, f"{careful}: {quoted(inner)}" if len(inner) < _LONGEST else careful, careful


def _comma(text: str, path: Path) -> _Said | None:
    found = _WITH_COMMA.fullmatch(text)
    if found is None or not _is_free(path):
        return None
    return "the `,` makes a text of it, and is a part of the text", f"leave it out: write `{found[1]}`", "leave it out"


def _break(document: Document, path: Path, text: str) -> _Said | None:
    is_line = text.endswith("\n") and document.written(path).count("\n") == 1
    is_sent = path[-2:-1] == ("parameters",) or path[-1] == "default"
    if not is_line or not is_sent or not _BREAK_KEPT.match(document.written(path)):
        return None
    hint = "write `|-` in its place, or the text in quotes on the line of its key"
    return "the text ends with a line break, which is a part of it", hint, hint
