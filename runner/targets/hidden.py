"""Problems of a targets file without its secrets, in line, message and hint; templates, which name secrets, stay.

What is not known to be open is taken for a secret, also after a wrong key; and all of an unreadable file.
"""

import re
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.values import Json, ValuePath, as_text, leaves
from runner.reading.document import Document, without_words
from runner.secrets.shown import STARS
from runner.service.auth import KINDS
from runner.targets.keys import KEYS

if TYPE_CHECKING:
    from runner.secrets.redact import Secrets

_OPEN: Final = frozenset(key.name for key in KEYS.values() if not key.secret)
"""Keys of a target whose values are no secrets."""
_WHO_SIGNS_IN: Final = frozenset({"auth", *(key for kind in KINDS for key in kind.keys)})
_WORDS: Final = _OPEN | _WHO_SIGNS_IN | {"runner", "targets"}
"""Our own words: where such a text is a value its line is hidden, but it is no secret in a sentence of ours."""
_NAMES: Final = 3  # parts of a path that are open: `targets`, the target's name, a key of the language
_ADDRESSES: Final = frozenset(key.name for key in KEYS.values() if key.is_site)
_NAMED_IN_URL = lazy_pattern(r"(?<=//).*(?=@)|[?#].*", re.DOTALL)
"""The name and the password in an address, whatever they hold, and all that follows its path."""
_TEMPLATE = lazy_pattern(r"(\{\{.*?\}\})", re.DOTALL)
_TEXT_IN_TEMPLATE = lazy_pattern(r"""file\(["'].*?["']\)|"(.*?)"|'(.*?)'""")
"""A path, which is no secret, or a text that may be a secret."""
_NO_TEXT: Final = " \t'\"|>-"
_WORD = lazy_pattern(r"\w{2,}")
_ONLY_ENV = lazy_pattern(r"\{\{ *env\.\w+ *\}\}")  # a template that names a variable, and holds no text
_ASIDE = lazy_pattern(r"[#&*!]")
"""A comment, an anchor, an alias or a tag: somebody may have written a text, or left the value of before."""
_LINE = lazy_pattern(r"(\s*(?:- +)?([A-Za-z_][\w-]*):[ \t]+)(.*\S)\s*")
"""A key and a value on a line, however broken the value is."""
_ONLY_KEY = lazy_pattern(r"\s*(?:[A-Za-z_][\w-]*:\s*)?")


def without_secrets(problems: Iterable[Problem], document: Document | None) -> list[Problem]:
    """`problems` as they may be shown; `document` is None where the file could not be read."""
    found = list(problems)
    if document is None:
        return [_without_unread_value(problem) for problem in found]
    if not found:
        return []
    from runner.secrets.redact import Secrets  # noqa: PLC0415  2 ms with all spellings of secrets, for a mistake only

    secrets, lines = Secrets(), set[int]()
    for path, value in _hidden(document.data):
        is_key = value is None
        literals = [*_literals(path[-1] if is_key else value)]
        for literal in literals:
            if literal not in _WORDS:
                secrets.add("written out", literal)
        span = document.key_span(path) if is_key else document.value_span(path)
        lines.update(range(span.line, span.end_line + 1) if literals else ())
    return [_masked(problem, lines, secrets) for problem in found]


def _hidden(data: Json) -> Iterator[tuple[ValuePath, Json]]:
    """Path and value of every scalar that may be a secret, and keys that YAML makes of `{…}` under `auth`."""
    for path, value in leaves(data):
        key = path[2] if path[:1] == ("targets",) and len(path) >= _NAMES else None
        is_address = key in _ADDRESSES and _NAMED_IN_URL.search(str(value)) is not None
        if path[:1] == ("runner",) or (key in _OPEN and not is_address):
            continue
        if value is not None or (key == "auth" and path[-1] not in _WHO_SIGNS_IN):
            yield path, value


def _literals(value: Json) -> Iterator[str]:
    """What of a value is written out: all of it, or what is around and inside of its templates."""
    text = as_text(value)
    for named in _NAMED_IN_URL.finditer(text):
        yield named[0]
        yield from re.split(r"[:?#&=]", named[0])
    for part in _TEMPLATE.split(text):
        if _TEMPLATE.fullmatch(part):
            yield from (found[1] or found[2] or "" for found in _TEXT_IN_TEMPLATE.finditer(part))
        elif part.strip(_NO_TEXT):
            yield part.strip()


def _masked(problem: Problem, lines: Container[int], secrets: "Secrets") -> Problem:
    """The problem without the secrets in the `lines` of its file."""
    line = problem.excerpt or ""
    found = _LINE.fullmatch(line)
    has_aside = found is not None and found[2] not in _OPEN and _ASIDE.search(found[3]) is not None
    if has_aside or (problem.span is not None and problem.span.line in lines):
        problem = _without_value(problem)
    shown, column = problem.excerpt and secrets.mask(problem.excerpt), problem.span.column - 1 if problem.span else 0
    named, keys = problem.path[:_NAMES], problem.path[_NAMES:]
    return replace(
        problem,
        message=secrets.mask(problem.message),
        hint=None if problem.hint is None else secrets.mask(problem.hint),
        path=(*named, *(secrets.mask(key) if isinstance(key, str) else key for key in keys)),
        excerpt=shown if shown and shown[:column] == line[:column] else None,
    )


def _without_value(problem: Problem) -> Problem:
    """The problem with its line as far as its key; without the line where its place is further on."""
    line, span = problem.excerpt, problem.span
    if line is None or span is None or _ONLY_KEY.fullmatch(line):
        return problem
    found = _LINE.fullmatch(line)
    if found is None or span.column - 1 > len(found[1]):
        return replace(problem, excerpt=None)
    end = found.end(1) + len(STARS) + 1
    if span.end_line > span.line or span.end_column > end:
        span = replace(span, end_line=span.line, end_column=end)
    return replace(problem, excerpt=f"{found[1]}{STARS}", span=span)


def _without_unread_value(problem: Problem) -> Problem:
    """The problem of an unreadable file, with lines up to their key."""
    line = problem.excerpt or ""
    found = _LINE.fullmatch(line)
    if _ONLY_KEY.fullmatch(line):
        return problem
    if found is not None and found[2] in _OPEN and _NAMED_IN_URL.search(found[3]) is None:
        return problem
    words = set(_WORD.findall(line if found is None else found[3]))
    return without_words(_without_value(problem), words, is_open=lambda text: _ONLY_ENV.fullmatch(text) is not None)
