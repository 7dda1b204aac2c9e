"""What is wrong with a filter: what OData v4 does not read, and probable mistakes; nothing beside a template's hole."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from runner.foundation.foreign_dates import foreign_moment, no_such_day
from runner.foundation.foreign_numbers import plain_number
from runner.foundation.hints import words
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.suggestions import suggest
from runner.foundation.values import is_guid
from runner.odata.filter import Column, FilterError, Literal, Node, Operation, UnreadWord, has_no_zone, nodes_in, read
from runner.odata.functions import FUNCTIONS, FilterValue
from runner.odata.lexer import COMPARISONS, CONSTANTS, HOLE, OPERATORS, TEXT_FUNCTIONS, Token, is_literal, tokens
from runner.odata.type_mistakes import type_mistakes

_TEXT: Final = lazy_pattern(r"'(?:[^']|'')*'")
_OPTION: Final = lazy_pattern(r"\s*([?&]?\$?filter=)(?!=)")
_SIGN: Final = lazy_pattern(r"==|!=|<>|>=|<=|&&|\|\||%20|[=<>!\"`\u2018\u2019\u201c\u201d]|(?<=\s)(?i:like)(?=\s*\x00)")
_NAME: Final = lazy_pattern(r"[^\W\d]\w*")
_FUNCTION: Final = lazy_pattern(r"[A-Za-z]{4,}")
_DASHED: Final = lazy_pattern(r"[^\W\d]\w*(?:-\w+)+")
_OF_V3: Final = lazy_pattern(r"(guid|datetime|datetimeoffset|time)'([^']*)'", re.IGNORECASE)
_DAY: Final = lazy_pattern(r"(\d\d?)\.(\d\d?)\.(\d{4})")
_DOTTED: Final = lazy_pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_ID: Final = lazy_pattern(r"(?:.*/)?Id", re.DOTALL)
_OF_SQL: Final = lazy_pattern(r"\[(\w+)\]")
_PARAMETER: Final = lazy_pattern(r"[@:][^\W\d]\w*|\?")
_HEX: Final = lazy_pattern(r"(?=\w*\d)[0-9A-Fa-f]{32}")
_MOMENT: Final = lazy_pattern(r"(?:.*/)?(?:CreatedOn|ModifiedOn)", re.DOTALL)
_LIKE_A_MOMENT: Final = lazy_pattern(r"(?:.*/)?\w+(?:Date|On|Day|Time)", re.DOTALL)
_NO_TEXT: Final = lazy_pattern(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?|true|false")
_OF_TEXTS: Final = lazy_pattern(r"(?:.*/)?(?:\w*(?:Name|Code|Text)|TextValue)", re.DOTALL)
_LOOKUP: Final = lazy_pattern(r"[^\W\d]\w*[a-z0-9]Id")
_ROOTS: Final = frozenset({"inputs", "vars", "steps", "run", "target", "case", "item"})
_METHODS: Final = frozenset(
    {*TEXT_FUNCTIONS, "tolower", "toupper", "trim", "length", "indexof", "substring", "replace", "concat"}
)
TEXT_HINT: Final = "put a text in quotes: `'…'`"
_DATE_HINT: Final = "write a date as in `2026-12-31T00:00:00Z`"
_JOIN_HINT: Final = "join conditions by `and` or `or`"
_hints = partial(words, "filters", room="odata")


def first_mistake(text: str, *, entity: str | None = None) -> Finding | None:
    """The first certain mistake of a filter, else the first that is only probable. `text` has holes for templates.

    `entity` is whose records are filtered.
    """
    if (option := _OPTION.match(text)) is not None:
        message = f"`{option[1]}` is of an address: the key `filter` says it already"
        return Finding(message=message, hint=f"leave out `{option[1]}`")
    return _mistake_of_signs(text) or min(_mistakes(text, entity), key=lambda found: found.warning, default=None)


def _mistake_of_signs(text: str) -> Finding | None:
    """A sign of another language, or a bracket or quote that lacks its other half."""
    bare = _TEXT.sub(HOLE, text)
    if (found := _SIGN.search(bare)) is not None:
        return Finding(message=f"`{found[0]}` is not OData", hint=_hints("signs")[found[0].casefold()])
    if "'" in bare:
        hint = f"{TEXT_HINT}; write `''` for a `'` inside it"
        return Finding(message="a quote in this filter is never closed", hint=hint)
    if bare.count("(") != bare.count(")") and HOLE not in text:
        missing = ")" if bare.count("(") > bare.count(")") else "("
        return Finding(message=f"a `{missing}` is missing in this filter")
    return None


def _mistakes(text: str, entity: str | None) -> Iterator[Finding]:
    for token in tokens(text):
        yield from _word_mistakes(token)
    try:
        tree = read(text)
    except FilterError as error:
        yield from _syntax_mistakes(error)
        return
    for node in nodes_in(tree):
        if isinstance(node, Operation) and node.name not in OPERATORS and node.name.casefold() in OPERATORS:
            yield _capitals(node.name)
        match node:
            case Operation(name=name, operands=(left, right)) if name.casefold() in COMPARISONS:
                yield from _comparison_mistakes(left, right, entity)
            case Operation(name=name) if name.casefold() not in OPERATORS:
                yield from _call_mistakes(node, entity)
    yield from type_mistakes(tree)


def _word_mistakes(token: Token) -> Iterator[Finding]:
    """Values that are wrong wherever they are: a service of v4 answers 400 to those of v3 [D]."""
    text = token.text
    yield from _foreign_word(text)
    if old := _OF_V3.fullmatch(text):
        yield _literal_of_v3(old[1], old[2])
    if token.kind == "moment" and (hint := no_such_day(text)) is not None:
        yield Finding(message=f"`{text}` is no date", hint=hint)
    elif token.kind == "moment" and has_no_zone(text):
        yield Finding(message=f"`{text}` has no time zone", hint=f"write `{text}Z`, which is UTC")
    if token.kind == "" and "'" not in text and text.lstrip("-")[:1].isdigit():
        day = _DAY.fullmatch(text)
        if (right := _guid_or_number(text)) is not None:
            yield Finding(message=f"`{text}` is no value of OData", hint=f"write `{right}`")
            return
        is_date = "." in text or "/" in text or "-" in text.lstrip("-")
        hint = f"write `{day[3]}-{day[2]:0>2}-{day[1]:0>2}T00:00:00Z`" if day else _DATE_HINT if is_date else TEXT_HINT
        yield Finding(message=f"`{text}` is neither a number nor a date", hint=hint)


def _foreign_word(text: str) -> Iterator[Finding]:
    """`[Name]` of SQL, `{GUID}`, and parameters, for which this call gives nothing."""
    if (column := _OF_SQL.fullmatch(text)) is not None:
        yield Finding(message=f"`{text}` is of SQL", hint=f"write `{column[1]}`")
    elif text[:1] == "{" and is_guid(text.strip("{}")):
        yield Finding(message=f"`{text}` is no value of OData", hint=f"write `{text.strip('{}')}`")
    elif _PARAMETER.fullmatch(text):
        name = text.lstrip("@:?") or "NAME"
        hint = f"write a template, as in `{{{{ inputs.{name} | odata }}}}`"
        message = f"`{text}` is a parameter, and this call gives none"
        yield Finding(message=message, hint=hint, warning=text[0] == "@")  # to OData it is null then


def _guid_or_number(text: str) -> str | None:
    """A GUID without its dashes, or a number as people write it."""
    if _HEX.fullmatch(text):
        return str(UUID(text))
    bare = text.removesuffix("%")
    return plain_number(bare) or (bare if bare != text and is_literal(bare) else None)


def _literal_of_v3(word: str, value: str) -> Finding:
    moment = value if re.search(r"(?i)z|[+-]\d\d:\d\d$", value) else f"{value}Z"
    bare = value if word.casefold() in ("guid", "time") else moment
    hint = f"leave `{word}` and the quotes out" if HOLE in value else f"write `{bare}`"
    return Finding(message=f"`{word}'…'` is a value of OData v3", hint=hint)


def _syntax_mistakes(error: FilterError) -> Iterator[Finding]:
    """Why the words of a filter cannot be read from this place on."""
    if error.at is None:
        return
    found, at = error.found, error.at
    before = found[at - 1] if at else None
    after = found[at] if at < len(found) else None
    if before is None or before.text in ("(", ",") or before.text.casefold() in OPERATORS:
        hint = "complete the condition, or leave the word out"
        if before is not None and before.text.casefold() in OPERATORS:
            what = "comes before" if after is not None and after.is_operand else "follows"
            yield Finding(message=f"nothing {what} `{before.text}`", hint=hint)
        elif after is not None and after.text in OPERATORS:
            yield Finding(message=f"nothing comes before `{after.text}`", hint=hint)
        elif after is not None and after.text == "," and before is None:
            yield Finding(message="a `,` is outside of `( )`", hint=_JOIN_HINT)
    elif after is not None and after.is_operand:
        yield from _side_by_side(error, before, after)
    elif after is not None and after.text == "not":
        yield Finding(message=f"`not` comes after `{before.text}`", hint="write it before the condition: `not (…)`")
    elif after is not None and after.text == "," and _depth(found[:at]) == 0:
        yield _comma(before, found[at + 1] if at + 1 < len(found) else None)


def _side_by_side(error: FilterError, token: Token, after: Token) -> Iterator[Finding]:
    word, next_word = token.text.casefold(), after.text.casefold()
    if next_word in _hints("words"):
        yield Finding(message=f"`{after.text}` is no operator of OData", hint=_hints("words")[next_word])
    elif word in TEXT_FUNCTIONS or (next_word in TEXT_FUNCTIONS and not after.is_called):
        function, column = (word, after) if word in TEXT_FUNCTIONS else (next_word, token)
        yield Finding(message=f"`{function}` is a function", hint=f"write `{function}({column.text}, '…')`")
    else:
        hint = _joining_hint(error, token, after)
        yield Finding(message=f"nothing joins `{token.text}` and `{after.text}`", hint=hint)


def _joining_hint(error: FilterError, token: Token, after: Token) -> str:
    if error.inside is not None and token.text != ")":
        return f"put a comma between them: `{error.inside}({token.text}, {after.text})`"
    if token.kind == after.kind == "moment":
        return _DATE_HINT
    is_word = token.kind == "name" and "/" not in token.text and token.text.casefold() not in CONSTANTS
    if is_word and error.at is not None and error.at > 1 and error.found[error.at - 2].text in COMPARISONS:
        return TEXT_HINT
    return f"{_JOIN_HINT}, and write `eq` between a column and its value"


def _comma(before: Token, after: Token | None) -> Finding:
    whole = f"{before.text},{after.text}" if after is not None else ""
    if (number := plain_number(whole)) is not None:
        return Finding(message=f"`{whole}` is no number of OData", hint=f"write `{number}`")
    return Finding(message="a `,` is outside of `( )`", hint=_JOIN_HINT)


def _depth(found: Sequence[Token]) -> int:
    return sum((token.text == "(") - (token.text == ")") for token in found)


def _call_mistakes(call: Operation, entity: str | None) -> Iterator[Finding]:
    name, count, function = call.name, len(call.operands), FUNCTIONS.get(call.name)
    match call.operands:
        case (Literal(value=str() as text), Column(path=column)) if name in TEXT_FUNCTIONS:
            hint = f"write `{name}({column}, '{text}')`"
            yield Finding(message=f"`{name}()` takes the column first", hint=hint, warning=True)
        case (Column(path=column), Column(path=word)) if name in TEXT_FUNCTIONS and "/" not in word:
            hint = f"put a text in quotes: `{name}({column}, '{word}')`"
            yield Finding(message=f"`{word}` is a column here, and no text", hint=hint, warning=True)
    path, dot, last = name.rpartition(".")
    if dot and last.casefold() in _METHODS:
        hint = f"write `{last.casefold()}({path.replace('.', '/')}, …)`"
        yield Finding(message=f"`{name}()` is a method, and OData has functions", hint=hint)
    for operand in call.operands if name in _METHODS else ():
        yield from _dotted(operand, entity)
    if name not in FUNCTIONS and _NAME.fullmatch(name):
        near = suggest(name, FUNCTIONS) if _FUNCTION.fullmatch(name) else None
        ours = _hints("functions").get(name.casefold()) or (f"did you mean `{near}`?" if near else None)
        yield Finding(message=f"`{name}` is no function of OData", hint=ours, warning=ours is None)
    elif function is not None and not function.takes_as_many(count) and not any(map(_is_open, call.operands)):
        example = f"write `{name}(Name, '…')`" if name in TEXT_FUNCTIONS else None
        takes = "one value" if function.most == 1 else f"{function.most or 'no'} values"
        yield Finding(message=f"`{name}()` takes {takes}, not {count}", hint=example)


def _is_open(node: Node) -> bool:
    """Whether a template may give several values in its place."""
    return any(isinstance(part, UnreadWord) and part.token.kind == "any" for part in nodes_in(node))


def _comparison_mistakes(left: Node, right: Node, entity: str | None) -> Iterator[Finding]:
    yield from _dotted(left, entity)
    yield from _dotted(right, entity)
    match right:
        case UnreadWord(token=token) if token.kind == "" and _DASHED.fullmatch(token.text):
            yield Finding(message=f"`{token.text}` is no value of OData", hint=f"put it in quotes: `'{token.text}'`")
        case Column(path=word) if word.casefold() in CONSTANTS:
            yield _capitals(word)
        case Literal(value=str() as text) if isinstance(left, Operation) and left.name in ("tolower", "toupper"):
            right_case = text.lower() if left.name == "tolower" else text.upper()
            if right_case != text:
                message = f"`{left.name}()` never gives `{text}`"
                yield Finding(message=message, hint=f"write `'{right_case}'`", warning=True)
        case Literal(value=value) if isinstance(left, Column):
            yield from _value_mistakes(left.path, value)


def _dotted(node: Node, entity: str | None) -> Iterator[Finding]:
    text = node.token.text if isinstance(node, UnreadWord) else ""
    if not _DOTTED.fullmatch(text):
        return
    first, _, rest = text.partition(".")
    if first in _ROOTS:
        message = f"`{text}` is a text here: only templates in `{{{{ }}}}` are evaluated"
        yield Finding(code="E123", message=message, hint=f"write `{{{{ {text} | odata }}}}`")
    else:
        path = rest if first in (entity, "result", "row") else text
        yield Finding(message=f"`{text}` is no path of OData", hint=f"write `{path.replace('.', '/')}`")


def _value_mistakes(column: str, value: FilterValue) -> Iterator[Finding]:
    """GUIDs, moments and booleans: in quotes they are texts. A lookup is filtered by its path [M]."""
    if isinstance(value, str) and is_guid(value) and _ID.fullmatch(column):
        message = f"in quotes this is a text, and `{column}` is a GUID"
        yield Finding(message=message, hint=f"write `{value}` without quotes", warning=True)
    elif isinstance(value, str) and _NO_TEXT.fullmatch(value) and not _OF_TEXTS.fullmatch(column):
        what = "moment" if value[0].isdigit() else "boolean"
        hint = f"write `{value}` without quotes, unless `{column}` holds texts"
        yield Finding(message=f"in quotes this is a text, and no {what}", hint=hint, warning=True)
    elif isinstance(value, str) and not _NO_TEXT.fullmatch(value):
        yield from _moment_in_quotes(column, value)
    elif isinstance(value, UUID):
        yield from lookup_by_path(column)


def lookup_by_path(column: str) -> Iterator[Finding]:
    """The path of a lookup, where a GUID is compared with a column that is none."""
    if _LOOKUP.fullmatch(column):
        message = f"a lookup is filtered by its path, not by `{column}`"
        yield Finding(message=message, hint=f"write `{column[:-2]}/Id`", warning=True)


def _moment_in_quotes(column: str, text: str) -> Iterator[Finding]:
    """A text for a column that is a moment on every site, or a day for a column that has the name of such a column."""
    is_certain = _MOMENT.fullmatch(column) is not None
    day, clock = foreign_moment(text.strip().replace("T", " "))
    if not is_certain and (day is None or _LIKE_A_MOMENT.fullmatch(column) is None):
        return
    hint = f"write `{day}T{(clock or '00:00:00').removesuffix('Z')}Z` without quotes" if day else _DATE_HINT
    if HOLE in text:
        hint = "leave out the quotes; a template gives a moment as in `2026-12-31T00:00:00Z`"
    yield Finding(message=f"in quotes this is a text, and `{column}` is a moment", hint=hint, warning=not is_certain)


def _capitals(text: str) -> Finding:
    message = f"`{text}` is written in small letters: not every service reads it in capitals"
    return Finding(message=message, hint=f"write `{text.casefold()}`", warning=True)
