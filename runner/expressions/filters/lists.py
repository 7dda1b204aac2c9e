"""Filters of lists and records: order, choice, sums, groups, as Jinja's of the same name.

Texts are compared without regard to case, unless `case_sensitive=true`. `attribute` is keys and indices with dots
between them (`Owner.Name`, `items.0`); a missing key is an error.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from runner.expressions import typed
from runner.expressions.errors import EvaluationError
from runner.expressions.filters.record import Arguments, Filter
from runner.expressions.filters.texts import text_for
from runner.expressions.operations import Absent, Value, as_text, joined, member, number, size
from runner.expressions.operators import check_letters, number_for, ordered_texts
from runner.expressions.type_check import TypeCheck, TypedPart, field_type, missing_key
from runner.expressions.typed import A_NUMBER, A_TEXT, LIST, NUMBER, RECORD, TEXT, UNKNOWN, Type, list_of, record_of
from runner.foundation.values import Json, is_number, kind_of

_Key: TypeAlias = "bool | int | float | str | tuple[_Key, ...] | frozenset[_Key] | None"


def attribute_of(item: Json, attribute: Json) -> Value:
    """The part of `item` that an `attribute` argument names, or Absent."""
    if isinstance(attribute, int) and not isinstance(attribute, bool):
        return member(item, attribute, parent="the item", where=f"[{attribute}]")
    if isinstance(item, dict) and isinstance(attribute, str) and attribute in item:
        return item[attribute]
    found: Value = item
    parent = "the item"
    for part in text_for("attribute", attribute, "a key").split("."):
        key = int(part) if isinstance(found, list) and part.isdecimal() and len(part) < 10 else part  # noqa: PLR2004  more is no index
        found = member(found, key, parent=parent, where=part)
        parent = part
    return found


def attribute_at(index: int, item: Json, attribute: Json) -> Json:
    """The part of an item, as `attribute_of` gives it; it must be there."""
    found = attribute_of(item, attribute)
    if isinstance(found, Absent):
        error = found.error()
        raise EvaluationError(f"in item {index} of the list: {error.message}", hint=error.hint)
    return found


def _column(items: Sequence[Json], attribute: Json) -> Sequence[Json]:
    """That part of each item; the items themselves where `attribute` is null."""
    if attribute is None:
        return items
    return [attribute_at(index, item, attribute) for index, item in enumerate(items)]


def _join(items: list[Json], d: Json = "", attribute: Json = None) -> Json:
    separator = text_for("join", d)
    parts = _column(items, attribute)
    return joined(text for index, item in enumerate(parts) for text in (separator if index else "", as_text(item)))


def _sum(items: list[Json], attribute: Json = None, start: Json = 0) -> Json:
    amount = number_for("sum", start)
    for each in _column(items, attribute):
        amount = number(amount + number_for("sum", each))
    return amount


def _min(items: list[Json], case_sensitive: Json = False, attribute: Json = None) -> Value:  # noqa: FBT002  called with JSON
    return _extreme("min", min, items, attribute, case_sensitive=bool(case_sensitive))


def _max(items: list[Json], case_sensitive: Json = False, attribute: Json = None) -> Value:  # noqa: FBT002  called with JSON
    return _extreme("max", max, items, attribute, case_sensitive=bool(case_sensitive))


def _sort(
    items: list[Json],
    reverse: Json = False,  # noqa: FBT002  called with JSON
    case_sensitive: Json = False,  # noqa: FBT002  called with JSON
    attribute: Json = None,
) -> Json:
    """`attribute` may name several, with commas between them. Equal items keep their order."""
    names: list[Json] = list(attribute.split(",")) if isinstance(attribute, str) else [attribute]
    columns = [_sortable("sort", _column(items, name), case_sensitive=bool(case_sensitive)) for name in names]
    keys = list(zip(*columns, strict=True))
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[index] for index in order]


def _unique(items: list[Json], case_sensitive: Json = False, attribute: Json = None) -> Json:  # noqa: FBT002  called with JSON
    seen: dict[_Key, Json] = {}
    for item, part in zip(items, _column(items, attribute), strict=True):
        folded = part.lower() if isinstance(part, str) and not case_sensitive else part
        seen.setdefault(_hashable(folded), item)
    return list(seen.values())


def _groupby(items: list[Json], attribute: Json, default: Json = None, case_sensitive: Json = False) -> Json:  # noqa: FBT002  called with JSON
    """`default` takes the place of a missing key."""
    groupers = [_or(default, index, item, attribute) for index, item in enumerate(items)]
    keys = _sortable("groupby", groupers, case_sensitive=bool(case_sensitive), distinct=True)
    groups: dict[str | float | Decimal, tuple[Json, list[Json]]] = {}
    for index in sorted(range(len(items)), key=keys.__getitem__):
        groups.setdefault(keys[index], (groupers[index], []))[1].append(items[index])
    return [{"grouper": grouper, "list": members} for grouper, members in groups.values()]


def _or(default: Json, index: int, item: Json, attribute: Json) -> Json:
    found = attribute_of(item, attribute)
    return default if isinstance(found, Absent) and default is not None else attribute_at(index, item, attribute)


def _nothing_in(name: str, value: Json) -> Absent:
    return Absent(name, sentence=f"`{name}` has nothing to give: {kind_of(value).replace('a ', 'the ', 1)} is empty")


def _extreme(
    name: str, choose: Callable[..., int], items: list[Json], attribute: Json, *, case_sensitive: bool
) -> Value:
    if not items:
        return _nothing_in(name, items)
    keys = _sortable(name, _column(items, attribute), case_sensitive=case_sensitive)
    return items[choose(range(len(items)), key=keys.__getitem__)]


def _sortable(
    name: str, values: Sequence[Json], *, case_sensitive: bool, distinct: bool = False
) -> list[str | float | Decimal]:
    """Keys that order `values`, all of a kind. Texts that spell numbers or moments go by these, unless `distinct`."""
    texts = [each for each in values if isinstance(each, str)]
    if values and len(texts) == len(values):
        keys = None if distinct else ordered_texts(texts)
        if keys is None and name in ("min", "max"):
            check_letters(texts, name)
        return list(keys or (texts if case_sensitive else map(str.lower, texts)))
    numbers = [each for each in values if is_number(each)]
    if len(numbers) == len(values) or all(isinstance(each, bool) for each in values):
        return [each for each in values if isinstance(each, (int, float))]
    kinds = sorted({kind_of(each) for each in values})
    what = " and ".join(kinds) if len(kinds) > 1 else f"items of which each is {kinds[0]}"
    raise EvaluationError(f"`{name}` puts numbers or texts in order, not {what}")


def _hashable(value: Json) -> _Key:
    """The same for equal values of JSON only."""
    match value:
        case bool():
            return ("boolean", value)
        case list():
            return ("list", *map(_hashable, value))
        case dict():
            return frozenset((key, _hashable(each)) for key, each in value.items())
        case _:
            return value


def attribute_type(part: TypedPart, keys: str, check: TypeCheck) -> Type:
    """The type of the part of each item that an `attribute` names."""
    found = part.type.any_item
    for key in keys.split("."):
        if found is UNKNOWN or key.isdecimal():
            return UNKNOWN
        if not found.may_be(RECORD):
            message = f"the items of `{part.source}` are {typed.many_in_words(found)}, and have no `{key}`"
            return check.report("E173", message, part=key)
        if found.fields is None or key in found.fields or not found.closed:
            found = field_type(found, key)
        else:
            message = f"the records of `{part.source}` have no `{key}`"
            found = missing_key(TypedPart(type=found), key, check, message=message, source=key)
    return found


def _end_type(part: TypedPart, _arguments: Arguments, _check: TypeCheck) -> Type:
    if not part.type.kinds & TEXT:
        return part.type.any_item
    return UNKNOWN if part.type.kinds & LIST else typed.text_of([part.type])


def _in_order(name: str, *, attribute: int) -> Callable[[TypedPart, Arguments, TypeCheck], Type]:
    """The type of an item of a list that is put in order; `attribute` is the place of that argument."""

    def item_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
        item, first = part.type.any_item, arguments.at(0, "reverse")
        if arguments.at(attribute, "attribute") is None:
            hint = f'write `{name}(attribute="{(first and first.written) or "KEY"}")`'
            what = TypedPart(label=f"an item of {part.source}", type=item)
            check.require(NUMBER | TEXT, what, f"`{name}` puts numbers or texts in order", hint=hint)
        return item

    return item_type


def _list_type(part: TypedPart, _arguments: Arguments, _check: TypeCheck) -> Type:
    return list_of(part.type.any_item if part.type.kinds & LIST and not part.type.kinds & (TEXT | RECORD) else UNKNOWN)


def _sum_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    key = arguments.at(0, "attribute")
    what = (key.written if key else None) or f"an item of {part.source}"
    check.require(NUMBER, TypedPart(label=what, type=arguments.attribute), "`sum` adds numbers")
    return A_NUMBER


def _grouped_type(part: TypedPart, arguments: Arguments, _check: TypeCheck) -> Type:
    fields = {"grouper": arguments.attribute, "list": list_of(part.type.any_item)}
    return list_of(record_of(fields, closed=True))


FILTERS: Mapping[str, Filter] = {
    "first": Filter(
        call=lambda value: value[0] if value else _nothing_in("first", value),
        takes=LIST | TEXT,
        gives=_end_type,
        about="the first item, or the first character",
    ),
    "groupby": Filter(
        call=_groupby, takes=LIST, gives=_grouped_type, about="records `{grouper, list}`, one for each value of a key"
    ),
    "items": Filter(
        call=lambda value: [[key, each] for key, each in value.items()],
        takes=RECORD,
        gives=list_of(typed.A_LIST),
        about="the keys and values of a record as pairs",
    ),
    "join": Filter(call=_join, takes=LIST, gives=A_TEXT, about="all items in one text, as in `join(', ')`"),
    "last": Filter(
        call=lambda value: value[-1] if value else _nothing_in("last", value),
        takes=LIST | TEXT,
        gives=_end_type,
        about="the last item, or the last character",
    ),
    "length": Filter(call=size, takes=LIST | TEXT | RECORD, gives=A_NUMBER, about="the number of items"),
    "list": Filter(
        call=lambda value: [*value],
        takes=LIST | TEXT | RECORD,
        gives=_list_type,
        heavy=True,
        about="the characters of a text, or the keys of a record, as a list",
    ),
    "max": Filter(call=_max, takes=LIST, gives=_in_order("max", attribute=1), about="the largest item"),
    "min": Filter(call=_min, takes=LIST, gives=_in_order("min", attribute=1), about="the smallest item"),
    "reverse": Filter(
        call=lambda value: value[::-1],
        takes=LIST | TEXT,
        gives=lambda part, *_: typed.another_text(typed.without_null(part.type)),
        about="the reverse order",
    ),
    "sort": Filter(
        call=_sort,
        takes=LIST,
        gives=lambda part, *more: list_of(_in_order("sort", attribute=2)(part, *more)),
        about="the items in order",
    ),
    "sum": Filter(call=_sum, takes=LIST, gives=_sum_type, about="the sum of all numbers"),
    "unique": Filter(
        call=_unique,
        takes=LIST,
        gives=lambda part, *_: list_of(part.type.any_item),
        about="the first of all items that are equal",
    ),
}
"""A function and a line here are a filter."""
