"""What is known of a value before there is one: which kinds of JSON it may be, and what is in it.

A type never says more than what is certain: every value that can turn up belongs to it. So whatever no value of a type
can do is a mistake for sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from runner.foundation.values import Json

NULL, BOOLEAN, NUMBER, TEXT, LIST, RECORD = 1, 2, 4, 8, 16, 32
ANYTHING: Final = 63
_WORDS: Final = {BOOLEAN: "a boolean", NUMBER: "a number", TEXT: "a text", LIST: "a list", RECORD: "a record"}
_MANY: Final = {BOOLEAN: "booleans", NUMBER: "numbers", TEXT: "texts", LIST: "lists", RECORD: "records"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """`kinds` are bits, one for each kind of JSON that a value may be.

    `item` is what the items of a list are, None where nothing is known of them. `fields` are those of a record; where
    it is `closed` it has no others, and `note` may say why. `form` is what a text is for sure: `guid`, `datetime`,
    `date` or `time`; `words` are the texts of which it is one, and `holds` is a piece of it. `called` is the code of
    the parameter whose value it is.
    """

    kinds: int
    item: "Type | None" = None
    fields: "Mapping[str, Type] | None" = None
    closed: bool = False
    form: str | None = None
    note: str | None = None
    words: frozenset[str] | None = None
    holds: str | None = None
    called: str | None = None

    def may_be(self, kinds: int) -> bool:
        """Whether a value may be one of `kinds`; of what is always null nothing is said."""
        return bool(self.kinds & kinds) or self.kinds == NULL

    @property
    def of_items(self) -> "Type":
        return self.item or UNKNOWN


UNKNOWN: Final = Type(kinds=ANYTHING)
A_BOOLEAN: Final = Type(kinds=BOOLEAN)
A_NUMBER: Final = Type(kinds=NUMBER)
A_TEXT: Final = Type(kinds=TEXT)
A_GUID: Final = Type(kinds=TEXT, form="guid")
A_LIST: Final = Type(kinds=LIST)


def list_of(item: Type) -> Type:
    return Type(kinds=LIST, item=item)


def record_of(fields: Mapping[str, Type], *, closed: bool = False, note: str | None = None) -> Type:
    return Type(kinds=RECORD, fields=fields, closed=closed, note=note)


def or_null(one: Type) -> Type:
    return replace(one, kinds=one.kinds | NULL)


def without_null(one: Type) -> Type:
    return replace(one, kinds=one.kinds & ~NULL) if one.kinds & NULL else one


def another_text(one: Type) -> Type:
    """The type of what was cut out of a value, or put into another order: a text is then another one."""
    return replace(one, form=None, words=None, holds=None) if one.kinds & TEXT else one


def either(one: Type, other: Type) -> Type:
    """The type of a value that is of one type or of the other."""
    if one is other:
        return one
    item = _item_of(one, other)
    fields, closed = _fields_of(one, other)
    found = Type(kinds=one.kinds | other.kinds, item=item, fields=fields, closed=closed)
    if not (one.kinds & other.kinds & TEXT):
        text = one if one.kinds & TEXT else other
        return replace(found, form=text.form, words=text.words, holds=text.holds)
    form = one.form if one.form == other.form else None
    words = one.words | other.words if one.words is not None and other.words is not None else None
    return replace(found, form=form, words=words, holds=one.holds if one.holds == other.holds else None)


def any_of(types: Iterable[Type]) -> Type | None:
    """The type of a value that is of one of `types`, None of none."""
    found: Type | None = None
    for one in types:
        found = one if found is None else either(found, one)
    return found


def of_value(value: Json) -> Type:
    """The type of a value that is known."""
    match value:
        case None:
            return Type(kinds=NULL)
        case bool():
            return A_BOOLEAN
        case int() | float():
            return A_NUMBER
        case str():
            return A_TEXT
        case list():
            return Type(kinds=LIST, item=any_of(map(of_value, value)))
        case dict():
            return record_of({key: of_value(item) for key, item in value.items()}, closed=True)


def in_words(one: Type) -> str:
    """`a number`, `a text or a list`; null is not spoken of where it may be something else."""
    return _joined(one, _WORDS) or ("null" if one.kinds == NULL else "anything")


def many_in_words(one: Type) -> str:
    return _joined(one, _MANY) or ("nulls" if one.kinds == NULL else "anything")


def _joined(one: Type, words: Mapping[int, str]) -> str:
    found = [word for kind, word in words.items() if one.kinds & kind]
    return "" if len(found) == len(words) else " or ".join(found)


def _item_of(one: Type, other: Type) -> Type | None:
    """What is known of the items of a list that is of one type or of the other."""
    if not other.kinds & LIST:
        return one.item
    if not one.kinds & LIST:
        return other.item
    return None if one.item is None or other.item is None else either(one.item, other.item)


def _fields_of(one: Type, other: Type) -> tuple[Mapping[str, Type] | None, bool]:
    if not other.kinds & RECORD:
        return one.fields, one.closed
    if not one.kinds & RECORD:
        return other.fields, other.closed
    if one.fields is None or other.fields is None:
        return None, False
    if one.fields is other.fields:
        return one.fields, one.closed and other.closed
    return _merged(one.fields, other.fields), one.closed and other.closed


def _merged(one: Mapping[str, Type], other: Mapping[str, Type]) -> dict[str, Type]:
    return {key: either(one[key], other[key]) if key in one and key in other else UNKNOWN for key in {**one, **other}}
