"""What is wrong with a filter, word by word: what OData v4 does not read, and what most probably is a mistake.

No grammar is held against a filter: neighbours are enough to recognize the habits of other languages, and a service may
read more than we know. A template may fill any hole, so nothing is reported of what is beside a hole.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Final

from runner.catalogue.moments import no_such_day
from runner.foundation.guids import is_guid
from runner.foundation.hints import words
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.suggestions import suggest
from runner.odata.lexer import BETWEEN, COMPARISONS, CONSTANTS, FUNCTIONS, HOLE, OPERATORS, TEXT_FUNCTIONS, Token

_TEXT: Final = lazy_pattern(r"'(?:[^']|'')*'")
_SIGN: Final = lazy_pattern(r"==|!=|<>|>=|<=|&&|\|\||[=<>!\"`]|(?<=\s)(?i:like)(?=\s*\x00)")
_CALLED: Final = lazy_pattern(r"(?<![\w/.])([A-Za-z]{4,})\(")
_DASHED: Final = lazy_pattern(r"[^\W\d]\w*(?:-\w+)+")
_OF_V3: Final = lazy_pattern(r"(guid|datetime|datetimeoffset|time)'([^']*)'", re.IGNORECASE)
_DAY: Final = lazy_pattern(r"(\d\d?)\.(\d\d?)\.(\d{4})")
_DOTTED: Final = lazy_pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_ID: Final = lazy_pattern(r"(?:.*/)?Id", re.DOTALL)
_LOOKUP: Final = lazy_pattern(r"[^\W\d]\w*[a-z0-9]Id")
_ROOTS: Final = frozenset({"inputs", "vars", "steps", "run", "target", "case", "item"})
_METHODS: Final = frozenset(
    {*TEXT_FUNCTIONS, "tolower", "toupper", "trim", "length", "indexof", "substring", "replace", "concat"}
)
TEXT_HINT: Final = "put a text in quotes: `'…'`"
_DATE_HINT: Final = "write a date as in `2026-12-31T00:00:00Z`"
_JOIN_HINT: Final = "join conditions by `and` or `or`"
_hints = partial(words, "filters", room="odata")


def mistake_of_signs(text: str, *, has_holes: bool) -> Finding | None:
    """A sign or a name that is of another language, or a bracket or quote that lacks its other half."""
    bare = _TEXT.sub(HOLE, text)
    if (found := _SIGN.search(bare)) is not None:
        return Finding(message=f"`{found[0]}` is not OData", hint=_hints("signs")[found[0].casefold()])
    for word in _CALLED.findall(bare):
        if word == "substringof":
            hint = "write `contains(Name, '…')`: the column comes first"
            return Finding(message="`substringof` is a function of OData v3", hint=hint)
        near = None if word in FUNCTIONS or word in OPERATORS else suggest(word, FUNCTIONS)
        if near is not None:
            return Finding(message=f"`{word}` is no function of OData", hint=f"did you mean `{near}`?")
    if "'" in bare:
        hint = f"{TEXT_HINT}; write `''` for a `'` inside it"
        return Finding(message="a quote in this filter is never closed", hint=hint)
    if bare.count("(") != bare.count(")") and not has_holes:
        missing = ")" if bare.count("(") > bare.count(")") else "("
        return Finding(message=f"a `{missing}` is missing in this filter")
    return None


def first_mistake(found: Sequence[Token]) -> Finding | None:
    """The first certain mistake, else the first that is only probable."""
    probable = None
    for mistake in _mistakes(found):
        if not mistake.warning:
            return mistake
        probable = probable or mistake
    return probable


def columns_in(found: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """The names that can only be columns, and whether each is where a value is expected. None of a lambda."""
    if any(":" in token.text and token.kind == "any" for token in found):
        return
    for index, token in enumerate(found):
        is_column = token.kind == "name" and token.is_operand and not token.is_called
        if is_column and token.text.casefold() not in CONSTANTS | OPERATORS and token.inside not in ("cast", "isof"):
            yield token.text, index > 0 and found[index - 1].text in COMPARISONS


def columns_compared_with_texts(found: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Each column that is compared with a text that is written out, and that text with its quotes."""
    for index, token in enumerate(found[:-1]):
        value = found[index + 1].text
        if index and token.text in COMPARISONS and value.startswith("'") and HOLE not in value:
            yield found[index - 1].text, value


def is_searched_for(found: Sequence[Token], index: int) -> bool:
    """Whether it is the second argument of `contains` and its like, whose first is a column."""
    is_second = index > 2 and found[index - 1].text == "," and found[index - 3].text == "("  # noqa: PLR2004
    return is_second and found[index].inside in TEXT_FUNCTIONS and "'" not in found[index - 2].text


def is_compared(found: Sequence[Token], index: int) -> bool:
    """Whether the token at `index` is where a value is expected."""
    token, before = found[index], found[index - 1].text if index else ""
    return before in COMPARISONS or is_searched_for(found, index) or (before == "(" and token.inside in COMPARISONS)


def _mistakes(found: Sequence[Token]) -> Iterator[Finding]:
    for index, token in enumerate(found):
        before = found[index - 1] if index else None
        after = found[index + 1] if index + 1 < len(found) else None
        if old := _OF_V3.fullmatch(token.text):
            yield _literal_of_v3(old[1], old[2])
        if token.text in OPERATORS:
            yield from _incomplete(token, before=before, after=after)
        if token.is_operand:
            yield from _operand_mistakes(found, index, before=before, after=after)
        if after is not None:
            yield from _side_by_side(token, after, before=before)
    yield from _commas(found)
    for index, token in enumerate(found):
        if token.is_called:
            yield from _arguments(found, index)


def _literal_of_v3(word: str, value: str) -> Finding:
    """`guid'…'` and its like: a service of v4 answers 400 [D]."""
    moment = value if re.search(r"(?i)z|[+-]\d\d:\d\d$", value) else f"{value}Z"
    bare = value if word.casefold() in ("guid", "time") else moment
    hint = f"leave `{word}` and the quotes out" if HOLE in value else f"write `{bare}`"
    return Finding(message=f"`{word}'…'` is a value of OData v3", hint=hint)


def _incomplete(token: Token, *, before: Token | None, after: Token | None) -> Iterator[Finding]:
    """An operator that ends a filter or begins it, or that is beside another."""
    hint = "complete the condition, or leave the word out"
    if after is None or after.text in (*BETWEEN, ")", ","):
        yield Finding(message=f"nothing follows `{token.text}`", hint=hint)
    elif token.text != "not" and (before is None or before.text in ("(", ",", "not")):
        yield Finding(message=f"nothing comes before `{token.text}`", hint=hint)


def _arguments(found: Sequence[Token], index: int) -> Iterator[Finding]:
    """A function with too few or too many values; a template may give several."""
    called, wanted = found[index], FUNCTIONS.get(found[index].text)
    name = called.text
    given = [*takewhile(lambda token: token.depth > called.depth, found[index + 2 :])]
    is_closed = index + 2 + len(given) < len(found)
    count = sum(token.text == "," and token.inside == name for token in given) + 1 if given else 0
    is_certain = is_closed and not any(token.kind == "any" or token.is_called for token in given)
    if wanted is None or count == wanted or not is_certain:
        return
    hint = f"write `{name}(Name, '…')`" if name in TEXT_FUNCTIONS else None
    takes = "one value" if wanted == 1 else f"{wanted} values"
    yield Finding(message=f"`{name}()` takes {takes}, not {count}", hint=hint)


def _operand_mistakes(
    found: Sequence[Token], index: int, *, before: Token | None, after: Token | None
) -> Iterator[Finding]:
    token, text = found[index], found[index].text
    is_value = before is not None and before.text in COMPARISONS
    is_compared = after is not None and after.text in COMPARISONS
    if _DOTTED.fullmatch(text):
        yield from _dotted(token, is_operand=is_value or is_compared or token.inside in _METHODS)
    if text[:1].isdigit() or text[:2].lstrip("-").isdigit():
        yield from _number(token)
    if is_value and _DASHED.fullmatch(text) and token.kind != "guid":
        yield Finding(message=f"`{text}` is no value of OData", hint=f"put it in quotes: `'{text}'`")
    if is_value and text not in CONSTANTS and text.casefold() in CONSTANTS:
        yield _capitals(text)
    if is_compared and token.kind == "name":
        yield from _id_mistakes(text, found[index + 2].text if index + 2 < len(found) else "")


def _dotted(token: Token, *, is_operand: bool) -> Iterator[Finding]:
    text = token.text
    path, _, last = text.rpartition(".")
    if token.is_called:
        if last.casefold() in _METHODS:
            hint = f"write `{last.casefold()}({path.replace('.', '/')}, …)`"
            yield Finding(message=f"`{text}()` is a method, and OData has functions", hint=hint)
    elif is_operand and text.partition(".")[0] in _ROOTS:
        message = f"`{text}` is a text here: only templates in `{{{{ }}}}` are evaluated"
        yield Finding(code="E123", message=message, hint=f"write `{{{{ {text} | odata }}}}`")
    elif is_operand:
        yield Finding(message=f"`{text}` is no path of OData", hint=f"write `{text.replace('.', '/')}`")


def _number(token: Token) -> Iterator[Finding]:
    text = token.text
    if token.kind == "moment" and (hint := no_such_day(text)) is not None:
        yield Finding(message=f"`{text}` is no date", hint=hint)
    if token.kind in ("moment", "number", "guid") or "'" in text:
        return
    day = _DAY.fullmatch(text)
    is_date = "." in text or "/" in text or "-" in text[1:]
    hint = f"write `{day[3]}-{day[2]:0>2}-{day[1]:0>2}T00:00:00Z`" if day else _DATE_HINT if is_date else TEXT_HINT
    yield Finding(message=f"`{text}` is neither a number nor a date", hint=hint)


def _id_mistakes(column: str, value: str) -> Iterator[Finding]:
    """GUIDs: in quotes they are texts, and a lookup is filtered by its path [M]."""
    bare = value.strip("'")
    if value.startswith("'") and is_guid(bare) and _ID.fullmatch(column):
        message = f"in quotes this is a text, and `{column}` is a GUID"
        yield Finding(message=message, hint=f"write `{bare}` without quotes", warning=True)
    elif is_guid(value) and _LOOKUP.fullmatch(column):
        message = f"a lookup is filtered by its path, not by `{column}`"
        yield Finding(message=message, hint=f"write `{column[:-2]}/Id`", warning=True)


def _capitals(text: str) -> Finding:
    message = f"`{text}` is written in small letters: not every service reads it in capitals"
    return Finding(message=message, hint=f"write `{text.casefold()}`", warning=True)


def _side_by_side(token: Token, after: Token, *, before: Token | None) -> Iterator[Finding]:
    """Two operands with nothing between them."""
    if not (token.is_operand or token.text == ")") or not after.is_operand or token.is_called:
        return
    word, next_word = token.text.casefold(), after.text.casefold()
    if next_word in BETWEEN:
        yield _capitals(after.text)
    elif word in OPERATORS:
        if word == "not":
            yield _capitals(token.text)
    elif next_word in _hints("words") and word != ")":
        yield Finding(message=f"`{after.text}` is no operator of OData", hint=_hints("words")[next_word])
    elif next_word in TEXT_FUNCTIONS and not after.is_called:
        hint = f"write `{next_word}({token.text}, '…')`"
        yield Finding(message=f"`{next_word}` is a function", hint=hint)
    elif word not in _hints("words") and word not in TEXT_FUNCTIONS:
        hint = _joining_hint(token, after, before)
        yield Finding(message=f"nothing joins `{token.text}` and `{after.text}`", hint=hint)


def _joining_hint(token: Token, after: Token, before: Token | None) -> str:
    if token.inside is not None and token.text != ")":
        return f"put a comma between them: `{token.inside}({token.text}, {after.text})`"
    if token.kind == after.kind == "moment":
        return _DATE_HINT
    is_word = token.kind == "name" and "/" not in token.text and token.text.casefold() not in CONSTANTS
    if is_word and before is not None and before.text in COMPARISONS:
        return TEXT_HINT
    return f"{_JOIN_HINT}, and write `eq` between a column and its value"


def _commas(found: Sequence[Token]) -> Iterator[Finding]:
    """A comma outside of brackets, where the brackets fit together."""
    brackets = [token.text for token in found if token.text in ("(", ")")]
    index = next((index for index, token in enumerate(found) if token.text == "," and not token.depth), None)
    if index is None or brackets.count("(") != brackets.count(")") or any(token.depth < 0 for token in found):
        return
    before, after = found[index - 1].text if index else "", found[index + 1].text if index + 1 < len(found) else ""
    if before.lstrip("-").isdigit() and after.isdigit():
        yield Finding(message=f"`{before},{after}` is no number of OData", hint=f"write `{before}.{after}`")
    else:
        yield Finding(message="a `,` is outside of `( )`", hint=_JOIN_HINT)
