"""What is wrong with a text that the parser could not read, with hints for the words of other languages.

Most of it is data, in `language/hints/expressions.yaml`; rows are searched for in the text without its own texts.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import cast

from msgspec import Struct

from runner.expressions.errors import TemplateProblem
from runner.expressions.operators import COMPARISONS
from runner.expressions.scan import line_of, without_texts
from runner.foundation.hints import table, words
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import compact

TEXT = r"'_*'"  # a text in what `without_texts` gives
PATH = r"(?<![\w.])(?!(?:and|or|not|in|is|if|else)\b)[A-Za-z_]\w*(?:\[-?\w+\]|\.\w+)*"
"""It begins where a word begins: so a search for it takes no longer than reading the text."""
VALUE = rf"(?:{TEXT}|-?\d+(?:\.\d+)?|{PATH})"
COMPARISON = r"===?|!==?|>=|<=|>|<"
_CHOICE = (
    r"\(\s*\(?\s*(?P<item>\w+)\s*\)?\s*=>\s*"
    rf"(?P=item)\.(?P<key>\w+(?:\.\w+)*)\s*(?P<sign>{COMPARISON})\s*(?P<value>{VALUE})\s*\)?"
)
"""`(x => x.Amount > 0)`."""
_PIECES = {"CHOICE": _CHOICE, "PATH": PATH, "VALUE": VALUE, "TEXT": TEXT, "COMPARISON": COMPARISON}


class Piece(str):
    """A piece of an expression, as a hint may want to show it."""

    __slots__ = ()

    @property
    def inside(self) -> str:
        """The content of a text in quotes; nothing for other pieces."""
        return self[1:-1] if self[:1] in ("'", '"') else ""

    @property
    def quoted(self) -> str:
        return compact(self[1:-1]) if self[:1] in ("'", '"') and "\\" not in self else str(self)

    @property
    def all_quoted(self) -> str:
        """Values with commas between them."""
        values = re.finditer(rf"""'[^']*'|"[^"]*"|{VALUE}""", self)
        return ", ".join(Piece(value[0]).quoted for value in values)

    @property
    def at_start(self) -> str:
        """The test whether something begins with this text."""
        return self._pattern("^{}")

    @property
    def at_end(self) -> str:
        """A pattern is searched for at the start only."""
        return self._pattern(".*{}$")

    def _pattern(self, form: str) -> str:
        return f'match("{form.format(self.inside)}")' if re.fullmatch(r"[\w -]+", self.inside) else "match(…)"

    @property
    def denied(self) -> str:
        """The words `does not` as they are written here."""
        return "not " if self else ""

    @property
    def as_path(self) -> str:
        """A JSONPath, which begins at `$`, as a path here; `..`, at any depth, as the keys of a list's records."""
        path = re.sub(r"\A\$(?:\.result\b)?", "result", self.inside or str(self)).removesuffix("[*]")
        where, descent, key = path.partition("..")
        return f'{where} | map(attribute="{key}") | list' if descent else path

    @property
    def as_test(self) -> str:
        """A sign of comparison as the name of a test."""
        sign = {"=": "==", "===": "==", "!==": "!="}.get(self, str(self))
        return next(comparison.test for comparison in COMPARISONS.values() if comparison.sign == sign)

    @property
    def status(self) -> str:
        """A step is asked for its status, all else as it is."""
        return f"{self}.status" if re.fullmatch(r"steps\.\w+", self) else str(self)


class Shape(Struct, frozen=True, kw_only=True):
    """A pattern, and the problem of a text that holds it; with `stopped_at`, where the parser came no further."""

    pattern: str
    code: str = "E120"
    message: str = "`{found}` is not an operator here"
    hint: str | None = None
    stopped_at: str | None = None


_ASKED = {"eq": "==", "zero": "== 0", "in": "in", "not": "not "}
_DENIED = {"eq": "!=", "zero": "> 0", "in": "not in", "not": ""}
_SHARED = frozenset({"filters", "methods", "functions"})
"""What is written after `|`, after a dot and as a function may have the same name."""


def hint(kind: str, word: str, *, value: str = "…", argument: str = "…", denied: bool = False) -> str | None:
    """The hint for a word of another language; `kind` is what it is written as. `denied`: after `is not`."""
    tables = [words("expressions", kind)] if kind != "filters" else []
    tables += [words("expressions", "words")] if kind in _SHARED else []
    spellings = (word, word.casefold().replace("_", ""))
    found = next((table[spelling] for table in tables for spelling in spellings if spelling in table), None)
    signs = _DENIED if denied else _ASKED
    return None if found is None else found.format(value=Piece(value), argument=Piece(argument), **signs)


def suggestion(
    kind: str, word: str, known: Iterable[str], *, value: str = "…", argument: str = "…", denied: bool = False
) -> str | None:
    """A hint for an unknown word: what it is called here, or the nearest word, or nothing."""
    return hint(kind, word, value=value, argument=argument, denied=denied) or did_you_mean(word, known)


@cache
def shapes() -> tuple[Shape, ...]:
    rows = cast("dict[str, list[dict[str, str | dict[str, str]]]]", table("expressions"))["shapes"]
    return tuple(shape for row in rows for shape in _shapes(row))


def _shapes(row: "dict[str, str | dict[str, str]]") -> Iterator[Shape]:
    match row:
        case {"signs": dict(signs)}:
            yield from (Shape(pattern=re.escape(sign), hint=f"write `{ours}`") for sign, ours in signs.items())
        case {"pattern": str(pattern)}:
            written = re.sub("|".join(_PIECES), lambda found: _PIECES[found[0]], pattern)
            yield Shape(**cast("dict[str, str]", row) | {"pattern": written})


_LACKS_A_SIDE = r"(?:[-+*/%~|.,<>=]+|\b(?:and|or|not|in|is|if|else))\s*$"
_LONGEST_SHOWN = 30


def mistake(text: str, *, stopped_at: str | None, line: int) -> TemplateProblem:
    """The problem of `text`, which the parser read up to `stopped_at`, on that line; None is the end of the text."""
    bare = without_texts(text)
    return (
        _shape(text, bare, stopped_at)
        or _foreign_word(stopped_at, line)
        or _incomplete(bare, stopped_at, line)
        or _unexpected(stopped_at, line)
    )


def _shape(text: str, bare: str, stopped_at: str | None) -> TemplateProblem | None:
    for shape in shapes():
        if shape.stopped_at in (None, stopped_at) and (found := re.search(shape.pattern, bare)) is not None:
            return _shape_problem(shape, text, found)
    return None


def _shape_problem(shape: Shape, text: str, found: re.Match[str]) -> TemplateProblem:
    names = found.re.groupindex
    start, end = found.span("found" if "found" in names else 0)
    pieces = {name: Piece(text[slice(*found.span(name))]) for name in names}
    pieces["found"] = Piece(text[start:end].strip())
    wrong = shape.message.format(**pieces)
    here = None if shape.hint is None else shape.hint.format(**pieces)
    return TemplateProblem(shape.code, wrong, hint=here, name=pieces["found"], line=line_of(text, start))


def _foreign_word(stopped_at: str | None, line: int) -> TemplateProblem | None:
    word = stopped_at or ""
    here = hint("operators", word)
    if here is None:
        return None
    return TemplateProblem("E120", f"`{word}` is not an operator here", hint=f"write `{here}`", name=word, line=line)


def _incomplete(bare: str, stopped_at: str | None, line: int) -> TemplateProblem | None:
    if stopped_at is not None:
        return None
    found = re.search(_LACKS_A_SIDE, bare)
    what = f"nothing follows `{found[0].strip()}`" if found else "the expression breaks off"
    return TemplateProblem("E120", what, line=line)


def _unexpected(stopped_at: str | None, line: int) -> TemplateProblem:
    if stopped_at is None:
        return TemplateProblem("E120", "the expression cannot be read", line=line)
    shown = stopped_at if len(stopped_at) <= _LONGEST_SHOWN else stopped_at[: _LONGEST_SHOWN - 1] + "…"
    if not shown.isprintable():
        shown = shown.encode("unicode_escape").decode()
    here = "an operator may be missing before it" if shown[:1].isalnum() else None
    return TemplateProblem("E120", f"`{shown}` is not expected here", hint=here, name=stopped_at, line=line)
