"""Problems of a targets file without the secrets that were written into it: in the source line, the message, the hint.

What is not known to be open is taken for a secret, also after a key that is misspelled or in the wrong place.
Templates stay visible: they hold the name of a secret. Of a file that cannot be read nobody knows what its lines are.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.places import Span
from runner.foundation.problems import Problem
from runner.foundation.values import Json, Path, compact, leaves
from runner.reading.document import Document
from runner.secrets.redact import STARS, Secrets
from runner.service.auth import KINDS

_OPEN: Final = frozenset(
    {
        *("sandbox", "url", "runtime", "identity_url", "element_call", "execute_method", "timeout", "settle"),
        *("ca_file", "rate", "protected", "plain_http", "allow", "ready"),
    }
)
"""Keys of a target whose values are no secrets."""
_WHO_SIGNS_IN: Final = frozenset({"auth", *(key for kind in KINDS for key in kind.keys)})
_WORDS: Final = _OPEN | _WHO_SIGNS_IN | {"runner", "targets"}
"""Our own words: where such a text is a value its place is hidden, but it is no secret in a sentence of ours."""
_NAMES: Final = 3
"""Parts of a path that are open: `targets`, the target's name, a key of the language."""
_ADDRESSES: Final = frozenset({"url", "identity_url"})
_NAMED_IN_URL = lazy_pattern(r"(?<=//).*(?=@)|[?#].*", re.DOTALL)
"""The name and the password in an address, whatever they hold, and all that follows its path."""
_TEMPLATE = lazy_pattern(r"(\{\{.*?\}\})", re.DOTALL)
_TEXT_IN_TEMPLATE = lazy_pattern(r"""file\(["'].*?["']\)|"(.*?)"|'(.*?)'""")
"""A path, which is no secret, or a text that may be a secret."""
_NO_TEXT: Final = " \t'\"|>-"
_QUOTED = lazy_pattern(r"""`[^`]+`|(?<=: )(["']).+\1(?=$|,)""")
_WORD = lazy_pattern(r"\w{2,}")
_ONLY_ENV = lazy_pattern(r"\{\{ *env\.\w+ *\}\}")
"""A template that names a variable, and holds no text."""
_COMMENT = lazy_pattern(r"#.*")
_QUOTED_WITH_COMMENT = lazy_pattern(r"""("[^"\\]*"|'[^']*')[ \t]+#.*""")
_ANCHOR = lazy_pattern(r"(?<![^\s,\[{])([&*])(?!\*\*)[^\s,\[\]{}]+")
"""Words of YAML that begin where somebody may have written a text: an anchor, an alias."""
_LINE = lazy_pattern(r"(\s*(?:- +)?([A-Za-z_][\w-]*):[ \t]+)(.*\S)\s*")
"""A key and a value in one line, however broken the value is."""
_ONLY_KEY = lazy_pattern(r"\s*(?:[A-Za-z_][\w-]*:\s*)?")


class _Place(Struct, frozen=True):
    """The place of a secret. Of an address only the name and the password in it are secret."""

    span: Span
    is_address: bool

    def on_line(self, number: int, line: str) -> tuple[int, int]:
        """The characters of the line with this number that are hidden, from and to; none are `(0, 0)`."""
        if not self.span.line <= number <= self.span.end_line:
            return 0, 0
        start = self.span.column - 1 if self.span.line == number else len(line) - len(line.lstrip())
        end = self.span.end_column - 1 if self.span.end_line == number else len(line)
        found = [named.span() for named in _NAMED_IN_URL.finditer(line, start, end)] if self.is_address else []
        return (found[0][0], found[-1][1]) if found else (start, end)


def without_secrets(problems: Iterable[Problem], document: Document | None) -> list[Problem]:
    """`problems` as they may be shown; `document` is None where the file could not be read."""
    found = list(problems)
    if document is None:
        return [_of_unreadable(problem) for problem in found]
    if not found:
        return []
    secrets = Secrets()
    places = set()
    for path, value in _hidden(document.data):
        is_key = value is None
        for literal in _literals(path[-1] if is_key else value):
            if literal not in _WORDS:
                secrets.add("written out", literal)
        span = document.key_span(path) if is_key else document.value_span(path)
        places.add(_Place(span, is_address=bool(path) and path[-1] in _ADDRESSES))
    return [_shown(problem, places, secrets) for problem in found]


def _hidden(data: Json) -> Iterator[tuple[Path, Json]]:
    """The path and the value of every part that is no record or list and may be a secret.

    YAML reads `{…}` as a record with a key and nothing after it: there the key counts, and the value is null.
    """
    root = data if isinstance(data, dict) else {"": data}
    for key, value in root.items():
        at: Path = (key,) if isinstance(data, dict) else ()
        if key == "runner":
            continue
        if key != "targets" or not isinstance(value, dict):
            yield from _leaves(value, at)
            continue
        for name, target in value.items():
            yield from _of_target(target, (*at, name))


def _of_target(target: Json, at: Path) -> Iterator[tuple[Path, Json]]:
    if not isinstance(target, dict):
        yield from _leaves(target, at)
        return
    for key, value in target.items():
        if key not in _OPEN:
            yield from _leaves(value, (*at, key))
        elif key in _ADDRESSES:
            yield from ((path, part) for path, part in _leaves(value, (*at, key)) if _NAMED_IN_URL.search(str(part)))


def _leaves(value: Json, at: Path) -> Iterator[tuple[Path, Json]]:
    """A key without a value counts in what says who signs in only."""
    for path, part in leaves(value, at):
        if part is not None or (path[2:3] == ("auth",) and path[-1] not in _WHO_SIGNS_IN):
            yield path, part


def _literals(value: Json) -> Iterator[str]:
    """What of a value is written out: all of it, or what is around and inside of its templates."""
    text = value if isinstance(value, str) else compact(value)
    for named in _NAMED_IN_URL.finditer(text):
        yield named[0]
        yield from re.split(r"[:?#&=]", named[0])
    for part in _TEMPLATE.split(text):
        if _TEMPLATE.fullmatch(part):
            yield from (found[1] or found[2] or "" for found in _TEXT_IN_TEMPLATE.finditer(part))
        elif part.strip(_NO_TEXT):
            yield part.strip()


def _shown(problem: Problem, places: Iterable[_Place], secrets: Secrets) -> Problem:
    shown_problem = replace(
        problem,
        message=secrets.mask(problem.message),
        hint=None if problem.hint is None else secrets.mask(problem.hint),
        path=(
            *problem.path[:_NAMES],
            *(secrets.mask(key) if isinstance(key, str) else key for key in problem.path[_NAMES:]),
        ),
    )
    span, written = problem.span, problem.excerpt
    if span is None or written is None:
        return shown_problem
    line = written
    for start, end in sorted({place.on_line(span.line, line) for place in places}, reverse=True):
        masked = _masked(line[start:end])
        if masked != line[start:end]:
            line = line[:start] + masked + line[end:]
            span = _moved(span, start=start, by=len(masked) - (end - start), to=start + len(masked))
    shown = secrets.mask(_without_asides(line))
    marks_fit = shown[: span.column - 1] == written[: span.column - 1]
    return replace(shown_problem, excerpt=shown if marks_fit else None, span=span)


def _moved(span: Span, *, start: int, by: int, to: int) -> Span:
    """`span` where something in its line, from `start` on, has become longer or shorter, and now ends at `to`."""
    if span.end_line != span.line or start >= span.end_column - 1:
        return span
    return replace(span, end_column=max(span.end_column + by, to + 1 if start >= span.column - 1 else span.column))


def _without_asides(line: str) -> str:
    """`line` without what YAML passes over in it: who writes `password: #a` may have written a text. A comment after a
    value in quotes is left out: it may hold the value of before.
    """
    found = _LINE.fullmatch(line)
    if found is None or found[2] in _OPEN:
        return line
    quoted = _QUOTED_WITH_COMMENT.fullmatch(found[3])
    value = quoted[1] if quoted is not None else _COMMENT.sub(f"# {STARS}", found[3])
    return found[1] + _ANCHOR.sub(rf"\1{STARS}", value)


def _masked(source: str) -> str:
    """A value as it is written in the file, with stars for what is written out."""
    if source[:1] in ("'", '"') and _TEMPLATE.search(source):
        return source[:1] + _masked(source[1:-1]) + source[-1:]
    return "".join(_masked_part(part) for part in _TEMPLATE.split(source))


def _masked_part(part: str) -> str:
    if _TEMPLATE.fullmatch(part):
        return _TEXT_IN_TEMPLATE.sub(lambda found: f"'{STARS}'" if found[1] or found[2] else found[0], part)
    return STARS if part.strip(_NO_TEXT) else part


def _of_unreadable(problem: Problem) -> Problem:
    """Of a file that cannot be read, lines are shown as far as their key, and not quoted from what follows it."""
    line, span = problem.excerpt or "", problem.span
    found = _LINE.fullmatch(line)
    if span is None or _ONLY_KEY.fullmatch(line):
        return problem
    if found is not None and found[2] in _OPEN and _NAMED_IN_URL.search(found[3]) is None:
        return problem
    value = line if found is None else found[3]
    return replace(
        problem,
        message=_unquoted(problem.message, value),
        hint=None if problem.hint is None else _unquoted(problem.hint, value),
        excerpt=f"{found[1]}{STARS}" if found is not None and span.column - 1 <= len(found[1]) else None,
    )


def _unquoted(text: str, value: str) -> str:
    """`text` with stars in place of all that it quotes of `value`."""
    words = set(_WORD.findall(value))

    def shown(quoted: re.Match[str]) -> str:
        if _ONLY_ENV.fullmatch(quoted[0].strip("`\"'")):
            return quoted[0]
        return f"`{STARS}`" if words.intersection(_WORD.findall(quoted[0])) else quoted[0]

    return _QUOTED.sub(shown, text)
