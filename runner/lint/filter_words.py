"""The words of a filter, one beside the other: what OData v4 does not read, and what most probably is not meant.

No grammar is held against a filter: what stands beside what is enough to tell the habits of other languages. A template
may give any piece of a filter, so nothing is said of what stands beside one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runner.catalogue.moments import no_such_day
from runner.foundation.guids import is_guid

VALUE: Final = "\0"
"""What stands for a template."""
_TOKEN: Final = re.compile(r"[^\s,()']*'(?:[^']|'')*'|[^\s,()']+|[,()]")
_COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_JOINING: Final = frozenset({*_COMPARISONS, "and", "or", "has", "in", "add", "sub", "mul", "div", "divby", "mod"})
_OPERATORS: Final = _JOINING | {"not"}
_MARKS: Final = ("(", ")", ",")
_LITERALS: Final = frozenset({"true", "false", "null"})
_OF_TEXTS: Final = ("contains", "startswith", "endswith")
_METHODS: Final = frozenset(
    {*_OF_TEXTS, "tolower", "toupper", "trim", "length", "indexof", "substring", "replace", "concat"}
)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[LlMmFfDd]?")
_MOMENT: Final = re.compile(r"-?\d{4}-\d\d-\d\d(?:T[\d:.]+(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d(?::\d\d(?:\.\d+)?)?")
_DASHED: Final = re.compile(r"[^\W\d]\w*(?:-\w+)+")
_DAY: Final = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_NAME: Final = re.compile(r"[^\W\d]\w*")
_COLUMN: Final = re.compile(r"[^\W\d]\w*(?:/[^\W\d]\w*)*")
_OF_TYPES: Final = frozenset({"cast", "isof"})
_ID: Final = re.compile(r"(?:.*/)?Id", re.DOTALL)
_LOOKUP: Final = re.compile(r"[^\W\d]\w*[a-z0-9]Id")
_ROOTS: Final = frozenset({"inputs", "vars", "steps", "run", "target", "case", "item"})
_ARGUMENTS: Final = {
    **dict.fromkeys((*_OF_TEXTS, "indexof", "concat"), 2),
    **dict.fromkeys(("length", "tolower", "toupper", "trim", "year", "month", "day", "hour", "minute", "second"), 1),
}
"""How many values each function takes."""
_WORDS: Final = {
    **dict.fromkeys(("is", "equals", "equal", "equalto"), "write `eq`, or `ne` for its opposite"),
    **dict.fromkeys(("neq", "notequals"), "write `ne`"),
    "gte": "write `ge`",
    "lte": "write `le`",
    "between": "write it as in `Amount ge 1 and Amount le 5`",
}
_TEXT_HINT: Final = "a text stands in `'…'`"
_A_DATE: Final = "a date is written `2026-12-31T00:00:00Z`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is wrong with the words of a filter. A warning: somebody could have meant it, or some service reads it."""

    message: str
    hint: str | None = None
    code: str = "E107"
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word, a text in quotes, or one of `( ) ,`. `inside` is the function in whose brackets it stands, if any."""

    text: str
    inside: str | None = None
    is_called: bool = False

    @property
    def is_operand(self) -> bool:
        return self.text not in _OPERATORS and self.text not in _MARKS and not self.is_any

    @property
    def is_any(self) -> bool:
        """Whether it may be anything: a template, or what only a parser of OData understands."""
        return any(sign in self.text for sign in (VALUE, "@", "$", "{", "[")) or (
            ":" in self.text and (self.inside == "case" or not self.text[:1].isdigit())
        )


def words(text: str) -> tuple[Word, ...]:
    """The words of a filter in which templates are `VALUE`."""
    found: list[Word] = []
    open_calls: list[str | None] = []
    for match in _TOKEN.finditer(text):
        word = match[0]
        is_called = text.startswith("(", match.end()) and word not in _OPERATORS and word not in _MARKS
        if word == ")" and open_calls:
            open_calls.pop()
        found.append(Word(text=word, inside=open_calls[-1] if open_calls else None, is_called=is_called))
        if word == "(":
            before = found[-2] if len(found) > 1 else None
            open_calls.append(before.text if before is not None and before.is_called else None)
    return tuple(found)


def names_in(parts: Sequence[object]) -> Iterator[tuple[str, bool]]:
    """The names of columns in a filter, where nothing but names can be meant; and whether each stands where a value
    does. `parts` that are no texts are templates.
    """
    whole = "".join(part if isinstance(part, str) else VALUE for part in parts)
    found = words(whole)
    if any(":" in word.text and word.is_any for word in found):
        return
    for index, word in enumerate(found):
        is_name = word.is_operand and not word.is_called and _COLUMN.fullmatch(word.text) is not None
        if is_name and word.text.casefold() not in _LITERALS | _OPERATORS and word.inside not in _OF_TYPES:
            yield word.text, index > 0 and found[index - 1].text in _COMPARISONS


def texts_compared(parts: Sequence[object]) -> Iterator[tuple[str, str]]:
    """Each column that is compared with a text that is written out, and that text with its quotes."""
    found = words("".join(part if isinstance(part, str) else VALUE for part in parts))
    for index, word in enumerate(found[:-1]):
        value = found[index + 1].text
        if index and word.text in _COMPARISONS and value.startswith("'") and VALUE not in value:
            yield found[index - 1].text, value


def first_mistake(found: Sequence[Word]) -> Found | None:
    """The first certain mistake, else the first that is only probable."""
    probable = None
    for one in _mistakes(found):
        if not one.warning:
            return one
        probable = probable or one
    return probable


def is_literal(text: str) -> bool:
    """Whether a service reads `text`, as it stands, as a value of some type, or as a text in quotes."""
    bare = text.strip()
    return (
        not bare
        or "'" in bare
        or bare.casefold() in _LITERALS
        or is_guid(bare)
        or any(form.fullmatch(bare) for form in (_NUMBER, _MOMENT))
    )


def is_compared(found: Sequence[Word], index: int) -> bool:
    """Whether the word at `index` stands where a value does: behind a comparison, or as what a text is searched for."""
    word, before = found[index], found[index - 1].text if index else ""
    return before in _COMPARISONS or is_searched_for(found, index) or (before == "(" and word.inside in _COMPARISONS)


def is_searched_for(found: Sequence[Word], index: int) -> bool:
    """Whether it is the second argument of `contains` and its like, whose first is a column."""
    is_second = index > 2 and found[index - 1].text == "," and found[index - 3].text == "("  # noqa: PLR2004
    return is_second and found[index].inside in _OF_TEXTS and "'" not in found[index - 2].text


def _mistakes(found: Sequence[Word]) -> Iterator[Found]:
    for index, word in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        if word.text in _OPERATORS:
            yield from _side_missing(word, before=found[index - 1] if index else None, after=after)
        if word.is_operand:
            yield from _of_word(found, index, after)
        if after is not None:
            yield from _side_by_side(word, after, before=found[index - 1] if index else None)
    yield from _commas(found)
    yield from (one for index, word in enumerate(found) if word.is_called for one in _arguments(found, index))


def _side_missing(word: Word, *, before: Word | None, after: Word | None) -> Iterator[Found]:
    """An operator that ends a filter or begins it, or that stands beside another."""
    if after is None or after.text in (*_JOINING, ")", ","):
        yield Found(message=f"nothing follows `{word.text}`", hint="complete the condition, or leave the word out")
    elif word.text != "not" and (before is None or before.text in ("(", ",") or before.text == "not"):
        hint = "complete the condition, or leave the word out"
        yield Found(message=f"nothing stands before `{word.text}`", hint=hint)


def _arguments(found: Sequence[Word], index: int) -> Iterator[Found]:
    """A function that is given too little or too much; a template may give several values."""
    name, wanted = found[index].text, _ARGUMENTS.get(found[index].text)
    given: list[Word] = []
    depth = 0
    for word in found[index + 1 :]:
        depth += (word.text == "(") - (word.text == ")")
        if depth == 0:
            break
        given.append(word)
    count = sum(word.text == "," and word.inside == name for word in given) + 1 if len(given) > 1 else 0
    if wanted is None or depth or count == wanted or any(word.is_any or word.is_called for word in given):
        return
    hint = f"write `{name}(Name, '…')`" if name in _OF_TEXTS else None
    takes = "one value" if wanted == 1 else f"{wanted} values"
    yield Found(message=f"`{name}()` takes {takes}, not {count}", hint=hint)


def _of_word(found: Sequence[Word], index: int, after: Word | None) -> Iterator[Found]:
    word, before = found[index], found[index - 1] if index else None
    compared = [one for one in (before, after) if one is not None and one.text in _COMPARISONS]
    if _DOTTED.fullmatch(word.text):
        yield from _dotted(word, is_operand=bool(compared) or word.inside in _METHODS)
    if word.text[:1].isdigit() or word.text[:2].lstrip("-").isdigit():
        yield from _number(word.text)
    if before in compared and _DASHED.fullmatch(word.text) and not is_guid(word.text):
        yield Found(message=f"`{word.text}` is no value of OData", hint=f"put it in quotes: `'{word.text}'`")
    if before in compared and word.text not in _LITERALS and word.text.casefold() in _LITERALS:
        yield _capitals(word.text)
    if _NAME.fullmatch(word.text.rpartition("/")[2]) and after is not None and after.text in _COMPARISONS:
        yield from _of_id(word.text, found[index + 2].text if index + 2 < len(found) else "")


def _dotted(word: Word, *, is_operand: bool) -> Iterator[Found]:
    path, _, last = word.text.rpartition(".")
    if word.is_called:
        if last.casefold() in _METHODS:
            hint = f"write `{last.casefold()}({path.replace('.', '/')}, …)`"
            yield Found(message=f"`{word.text}()` is a method, and OData has functions", hint=hint)
    elif is_operand and word.text.partition(".")[0] in _ROOTS:
        message = f"`{word.text}` is a text here: only what stands in braces is worked out"
        yield Found(code="E123", message=message, hint=f"write `{{{{ {word.text} | odata }}}}`")
    elif is_operand:
        yield Found(message=f"`{word.text}` is no path of OData", hint=f"write `{word.text.replace('.', '/')}`")


def _number(text: str) -> Iterator[Found]:
    if _MOMENT.fullmatch(text) and (other := no_such_day(text)) is not None:
        yield Found(message=f"`{text}` is no date", hint=other)
    if any(form.fullmatch(text) for form in (_NUMBER, _MOMENT)) or is_guid(text) or "'" in text:
        return
    day = _DAY.fullmatch(text)
    hint = f"write `{day[3]}-{day[2]:0>2}-{day[1]:0>2}T00:00:00Z`" if day else None
    is_date = "." in text or "/" in text or "-" in text[1:]
    yield Found(message=f"`{text}` is neither a number nor a date", hint=hint or (_A_DATE if is_date else _TEXT_HINT))


def _of_id(column: str, value: str) -> Iterator[Found]:
    """GUIDs: in quotes they are texts, and a lookup is filtered by its path [M]."""
    if value.startswith("'") and is_guid(value.strip("'")) and _ID.fullmatch(column):
        message = f"in quotes this is a text, and `{column}` is a GUID"
        yield Found(message=message, hint=f"write `{value.strip(chr(39))}` without quotes", warning=True)
    elif is_guid(value) and _LOOKUP.fullmatch(column):
        hint = f"write `{column[:-2]}/Id`"
        yield Found(message=f"a lookup is filtered by its path, not by `{column}`", hint=hint, warning=True)


def _capitals(text: str) -> Found:
    message = f"`{text}` is written in small letters: not every service reads it in capitals"
    return Found(message=message, hint=f"write `{text.casefold()}`", warning=True)


def _side_by_side(word: Word, after: Word, *, before: Word | None) -> Iterator[Found]:
    """Two operands with nothing between them."""
    joins = word.is_operand or word.text == ")"
    if not joins or not after.is_operand or word.is_called:
        return
    small = after.text.casefold()
    if small in _JOINING:
        yield _capitals(after.text)
    elif word.text.casefold() in _OPERATORS:
        if word.text.casefold() == "not":
            yield _capitals(word.text)
    elif small in _WORDS and word.text != ")":
        yield Found(message=f"`{after.text}` is no operator of OData", hint=_WORDS[small])
    elif small in _OF_TEXTS and not after.is_called:
        yield Found(message=f"`{small}` is a function", hint=f"write `{small}({word.text}, '…')`")
    elif word.text.casefold() not in _WORDS and word.text.casefold() not in _OF_TEXTS:
        yield Found(message=f"nothing joins `{word.text}` and `{after.text}`", hint=_joining(word, after, before))


def _joining(word: Word, after: Word, before: Word | None) -> str:
    if word.inside is not None and word.text != ")":
        return f"a comma stands between them: `{word.inside}({word.text}, {after.text})`"
    if _MOMENT.fullmatch(word.text) and _MOMENT.fullmatch(after.text):
        return _A_DATE
    if before is not None and before.text in _COMPARISONS and _is_word(word.text):
        return _TEXT_HINT
    return "conditions are joined by `and` or `or`, and `eq` stands between a column and its value"


def _is_word(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and text.casefold() not in _LITERALS


def _commas(found: Sequence[Word]) -> Iterator[Found]:
    """A comma outside of brackets, where the brackets fit together."""
    depth = 0
    outside = []
    for index, word in enumerate(found):
        depth += (word.text == "(") - (word.text == ")")
        if depth < 0:
            return
        if word.text == "," and not depth:
            outside.append(index)
    if depth or not outside:
        return
    index = outside[0]
    before, after = found[index - 1].text if index else "", found[index + 1].text if index + 1 < len(found) else ""
    if before.lstrip("-").isdigit() and after.isdigit():
        yield Found(message=f"`{before},{after}` is no number of OData", hint=f"write `{before}.{after}`")
    else:
        yield Found(message="a `,` stands outside of `( )`", hint="conditions are joined by `and` or `or`")
