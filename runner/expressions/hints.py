"""What to write for the words and signs of other languages: a table of hints, read at the first mistake."""

import re
from collections.abc import Iterable
from functools import cache
from typing import cast

from msgspec import Struct

from runner.expressions.operators import COMPARISONS
from runner.foundation.hints import table, words
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import compact

TEXT = r"'_*'"
"""A text in what `without_texts` gives."""
PATH = r"(?<![\w.])(?!(?:and|or|not|in|is|if|else)\b)[A-Za-z_]\w*(?:\[-?\w+\]|\.\w+)*"
"""It begins where a word begins: so a search for it takes no longer than reading the text."""
VALUE = rf"(?:{TEXT}|-?\d+(?:\.\d+)?|{PATH})"
COMPARISON = r"===?|!==?|>=|<=|>|<"
_PIECES = {"PATH": PATH, "VALUE": VALUE, "TEXT": TEXT, "COMPARISON": COMPARISON}


class Piece(str):
    """A piece of an expression, as a hint may want to show it."""

    __slots__ = ()

    @property
    def inside(self) -> str:
        """What a text holds; nothing for what is no text in quotes."""
        return self[1:-1] if self[:1] in ("'", '"') else ""

    @property
    def quoted(self) -> str:
        """A text in the quotes that hints use."""
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
    def of_result(self) -> str:
        """A JSONPath, which begins at `$`, as a path here."""
        return (self.inside or str(self)).replace("$", "result", 1)

    @property
    def as_test(self) -> str:
        """A sign of comparison as the name of a test."""
        sign = {"===": "==", "!==": "!="}.get(self, str(self))
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


def hint(kind: str, word: str, *, value: str = "…", argument: str = "…") -> str | None:
    """The hint for a word of another language; `kind` is a table of the file."""
    found = words("expressions", kind).get(word)
    return None if found is None else found.format(value=Piece(value), argument=Piece(argument))


def suggestion(kind: str, word: str, known: Iterable[str], *, value: str = "…", argument: str = "…") -> str | None:
    """A hint for an unknown word: what it is called here, or the nearest word, or nothing."""
    return hint(kind, word.lower(), value=value, argument=argument) or did_you_mean(word, known)


@cache
def shapes() -> tuple[Shape, ...]:
    rows = cast("dict[str, list[dict[str, str]]]", table("expressions"))["shapes"]
    pieces = "|".join(_PIECES)
    return tuple(
        Shape(**row | {"pattern": re.sub(pieces, lambda found: _PIECES[found[0]], row["pattern"])}) for row in rows
    )
