"""What is known of a value before it is there: its kinds of JSON, and what is in it. It holds for every value."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.values import Json

NULL, BOOLEAN, NUMBER, TEXT, LIST, RECORD = 1, 2, 4, 8, 16, 32
ANYTHING: Final = 63
_WORDS: Final = {BOOLEAN: "a boolean", NUMBER: "a number", TEXT: "a text", LIST: "a list", RECORD: "a record"}
_MANY: Final = {BOOLEAN: "booleans", NUMBER: "numbers", TEXT: "texts", LIST: "lists", RECORD: "records"}


class Type(Struct, frozen=True, kw_only=True):
    """What is known of a value."""

    kinds: int  # a bit for each kind of JSON
    item: "Type | None" = None  # of a list
    fields: "Mapping[str, Type] | None" = None  # of a record
    closed: bool = False  # it has no other fields
    form: str | None = None  # `guid`, `datetime`, `date` or `time`
    note: str | None = None  # why it is closed
    words: frozenset[str] | None = None  # the texts that it may be
    vocabulary: str | None = None  # the table of what other tools call such words
    holds: str | None = None  # a piece of the text
    called: str | None = None  # the code of the parameter whose value it is
    beside: frozenset[str] = frozenset()  # the codes of what its process gives, too
    plain: bool = False  # no `'` is in it

    def may_be(self, kinds: int) -> bool:
        """Whether a value may be of `kinds`; a value that is always null may."""
        return bool(self.kinds & kinds) or self.kinds == NULL

    @property
    def any_item(self) -> "Type":
        return self.item or UNKNOWN


UNKNOWN: Final = Type(kinds=ANYTHING)
A_BOOLEAN: Final = Type(kinds=BOOLEAN)
A_NUMBER: Final = Type(kinds=NUMBER)
A_TEXT: Final = Type(kinds=TEXT)
PLAIN_TEXT: Final = Type(kinds=TEXT, plain=True)
A_GUID: Final = Type(kinds=TEXT, form="guid")
A_LIST: Final = Type(kinds=LIST)


def word_of(known: Iterable[str], *, vocabulary: str) -> Type:
    """The type of a text that is a word of ours."""
    words = (*known,)
    note = f"it is a word: {', '.join(f'`{word}`' for word in words)}"
    return Type(kinds=TEXT, plain=True, note=note, words=frozenset(words), vocabulary=vocabulary)


def list_of(item: Type) -> Type:
    return Type(kinds=LIST, item=item)


def record_of(fields: Mapping[str, Type], *, closed: bool = False, note: str | None = None) -> Type:
    return Type(kinds=RECORD, fields=fields, closed=closed, note=note)


def or_null(given: Type) -> Type:
    return replace(given, kinds=given.kinds | NULL)


def without_null(given: Type) -> Type:
    return replace(given, kinds=given.kinds & ~NULL) if given.kinds & NULL else given


def another_text(given: Type) -> Type:
    """The type of a value that was cut or reordered: its texts are other texts."""
    if not given.kinds & TEXT:
        return given
    return replace(given, form=None, words=None, holds=None, plain=not may_hold_quote(given))


def text_of(parts: Iterable[Type]) -> Type:
    return A_TEXT if any(map(may_hold_quote, parts)) else PLAIN_TEXT


def may_hold_quote(given: Type) -> bool:
    """Whether a `'` may be in a text of this type, or in a text in a list or a record of it."""
    if given.plain:
        return False
    if given.kinds & TEXT and given.form is None and (given.words is None or any("'" in word for word in given.words)):
        return True
    if given.kinds & LIST and may_hold_quote(given.any_item):
        return True
    return bool(given.kinds & RECORD) and (
        given.fields is None or any("'" in key or may_hold_quote(field) for key, field in given.fields.items())
    )


def either(first: Type, second: Type) -> Type:
    if first is second:
        return first
    item = _item_of(first, second)
    fields, closed = _fields_of(first, second)
    plain = not may_hold_quote(first) and not may_hold_quote(second)
    found = Type(kinds=first.kinds | second.kinds, item=item, fields=fields, closed=closed, plain=plain)
    if not (first.kinds & second.kinds & TEXT):
        text = first if first.kinds & TEXT else second
        return replace(found, form=text.form, words=text.words, holds=text.holds)
    form = first.form if first.form == second.form else None
    words = first.words | second.words if first.words is not None and second.words is not None else None
    return replace(found, form=form, words=words, holds=first.holds if first.holds == second.holds else None)


def any_of(types: Iterable[Type]) -> Type | None:
    found: Type | None = None
    for each in types:
        found = each if found is None else either(found, each)
    return found


def type_of(value: Json) -> Type:
    match value:
        case None:
            return Type(kinds=NULL)
        case bool():
            return A_BOOLEAN
        case int() | float():
            return A_NUMBER
        case str():
            return A_TEXT if "'" in value else PLAIN_TEXT
        case list():
            return Type(kinds=LIST, item=any_of(map(type_of, value)))
        case dict():
            return record_of({key: type_of(item) for key, item in value.items()}, closed=True)


def in_words(given: Type) -> str:
    """`a number`, `a text or a list`; null is not spoken of where it may be something else."""
    return _joined(given, _WORDS) or ("null" if given.kinds == NULL else "anything")


def many_in_words(given: Type) -> str:
    return _joined(given, _MANY) or ("nulls" if given.kinds == NULL else "anything")


def _joined(given: Type, words: Mapping[int, str]) -> str:
    found = [word for kind, word in words.items() if given.kinds & kind]
    return "" if len(found) == len(words) else " or ".join(found)


def _item_of(first: Type, second: Type) -> Type | None:
    """What is known of the items of a list that is of either type."""
    if not second.kinds & LIST:
        return first.item
    if not first.kinds & LIST:
        return second.item
    return None if first.item is None or second.item is None else either(first.item, second.item)


def _fields_of(first: Type, second: Type) -> tuple[Mapping[str, Type] | None, bool]:
    if not second.kinds & RECORD:
        return first.fields, first.closed
    if not first.kinds & RECORD:
        return second.fields, second.closed
    if first.fields is None or second.fields is None:
        return None, False
    if first.fields is second.fields:
        return first.fields, first.closed and second.closed
    return _merged(first.fields, second.fields), first.closed and second.closed


def _merged(first: Mapping[str, Type], second: Mapping[str, Type]) -> dict[str, Type]:
    return {
        key: either(first[key], second[key]) if key in first and key in second else UNKNOWN
        for key in {**first, **second}
    }
