"""Filters of lists and records: order, choice of one, sums, groups. They do what Jinja's of the same name do.

So texts are compared without regard to case unless `case_sensitive=true`. `attribute` is a key, or keys and indices
with dots between them (`Owner.Name`, `items.0`); a key that an item does not have is an error that names the item,
never a value passed over.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import Absent, Value, as_text, joined, member, number
from runner.expressions.scalar_filters import number_for, text_for
from runner.foundation.values import Json, is_number, kind_of

_Key: TypeAlias = "bool | int | float | str | tuple[_Key, ...] | frozenset[_Key] | None"


def items_for(name: str, value: Json) -> list[Json]:
    """`value` as the list that `name` takes."""
    if isinstance(value, list):
        return value
    hint = f"`| items | {name}` takes its pairs, `| list | {name}` its keys" if isinstance(value, dict) else None
    raise EvaluationError(f"`{name}` takes a list, not {kind_of(value)}", hint=hint)


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
    """As `attribute_of`, where the key must be there."""
    found = attribute_of(item, attribute)
    if isinstance(found, Absent):
        error = found.error()
        raise EvaluationError(f"in item {index} of the list: {error.message}", hint=error.hint)
    return found


def column(items: Sequence[Json], attribute: Json) -> list[Json]:
    """That part of each item; the items themselves where `attribute` is null."""
    if attribute is None:
        return list(items)
    return [attribute_at(index, item, attribute) for index, item in enumerate(items)]


def length(value: Json) -> Json:
    if not isinstance(value, (str, list, dict)):
        raise EvaluationError(f"`length` takes a list, a text or a record, not {kind_of(value)}")
    return len(value)


def to_list(value: Json) -> Json:
    """A list as it is, the characters of a text, the keys of a record."""
    if not isinstance(value, (str, list, dict)):
        raise EvaluationError(f"`list` takes a list, a text or a record, not {kind_of(value)}")
    return list(value)


def first(value: Json) -> Value:
    return _one_end("first", value, 0)


def last(value: Json) -> Value:
    return _one_end("last", value, -1)


def reverse(value: Json) -> Json:
    return value[::-1] if isinstance(value, str) else items_for("reverse", value)[::-1]


def pairs(value: Json) -> Json:
    """The filter `items`: a list of `[key, value]`."""
    if not isinstance(value, dict):
        raise EvaluationError(f"`items` takes a record, not {kind_of(value)}")
    return [[key, each] for key, each in value.items()]


def join(value: Json, d: Json = "", attribute: Json = None) -> Json:
    separator = text_for("join", d)
    parts = column(items_for("join", value), attribute)
    return joined(text for index, item in enumerate(parts) for text in (separator if index else "", as_text(item)))


def total(value: Json, attribute: Json = None, start: Json = 0) -> Json:
    """The sum of numbers; of nothing, `start`."""
    amount = number_for("sum", start)
    for each in column(items_for("sum", value), attribute):
        amount = number(amount + number_for("sum", each))
    return amount


def lowest(value: Json, case_sensitive: Json = False, attribute: Json = None) -> Value:  # noqa: FBT002  called with JSON
    return _extreme("min", value, min, attribute, case_sensitive=bool(case_sensitive))


def highest(value: Json, case_sensitive: Json = False, attribute: Json = None) -> Value:  # noqa: FBT002  called with JSON
    return _extreme("max", value, max, attribute, case_sensitive=bool(case_sensitive))


def in_order(
    value: Json,
    reverse: Json = False,  # noqa: FBT002  called with JSON
    case_sensitive: Json = False,  # noqa: FBT002  called with JSON
    attribute: Json = None,
) -> Json:
    """The filter `sort`; `attribute` may name several, with commas between them. Equal items keep their order."""
    items = items_for("sort", value)
    names: list[Json] = list(attribute.split(",")) if isinstance(attribute, str) else [attribute]
    columns = [_sortable("sort", column(items, name), case_sensitive=bool(case_sensitive)) for name in names]
    keys = list(zip(*columns, strict=True))
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[index] for index in order]


def unique(value: Json, case_sensitive: Json = False, attribute: Json = None) -> Json:  # noqa: FBT002  called with JSON
    """The first of all that are equal."""
    items = items_for("unique", value)
    seen: dict[_Key, Json] = {}
    for item, part in zip(items, column(items, attribute), strict=True):
        seen.setdefault(_hashable(_folded(part, case_sensitive=bool(case_sensitive))), item)
    return list(seen.values())


def groupby(value: Json, attribute: Json, default: Json = None, case_sensitive: Json = False) -> Json:  # noqa: FBT002  called with JSON
    """Records `{grouper, list}`, in the order of their groupers; `default` stands in for a missing key."""
    items = items_for("groupby", value)
    groupers = [_or(default, index, item, attribute) for index, item in enumerate(items)]
    keys = _sortable("groupby", groupers, case_sensitive=bool(case_sensitive))
    groups: dict[str | float, tuple[Json, list[Json]]] = {}
    for index in sorted(range(len(items)), key=keys.__getitem__):
        groups.setdefault(keys[index], (groupers[index], []))[1].append(items[index])
    return [{"grouper": grouper, "list": members} for grouper, members in groups.values()]


def _or(default: Json, index: int, item: Json, attribute: Json) -> Json:
    found = attribute_of(item, attribute)
    return default if isinstance(found, Absent) and default is not None else attribute_at(index, item, attribute)


def _one_end(name: str, value: Json, index: int) -> Value:
    if not isinstance(value, (str, list)):
        raise EvaluationError(f"`{name}` takes a list or a text, not {kind_of(value)}")
    return value[index] if value else _of_nothing(name, value)


def _of_nothing(name: str, value: Json) -> Absent:
    return Absent(name, sentence=f"`{name}` has nothing to give: {kind_of(value).replace('a ', 'the ', 1)} is empty")


def _extreme(name: str, value: Json, choose: Callable[..., int], attribute: Json, *, case_sensitive: bool) -> Value:
    items = items_for(name, value)
    if not items:
        return _of_nothing(name, value)
    keys = _sortable(name, column(items, attribute), case_sensitive=case_sensitive)
    return items[choose(range(len(items)), key=keys.__getitem__)]


def _sortable(name: str, values: list[Json], *, case_sensitive: bool) -> list[str | float]:
    """Keys by which `values` can be put in order: all are numbers, all texts, or all booleans."""
    texts = [each if case_sensitive else each.lower() for each in values if isinstance(each, str)]
    if values and len(texts) == len(values):
        return list(texts)
    numbers = [each for each in values if is_number(each)]
    if len(numbers) == len(values) or all(isinstance(each, bool) for each in values):
        return [each for each in values if isinstance(each, (int, float))]
    kinds = sorted({kind_of(each) for each in values})
    what = " and ".join(kinds) if len(kinds) > 1 else f"items of which each is {kinds[0]}"
    raise EvaluationError(f"`{name}` puts numbers or texts in order, not {what}")


def _folded(value: Json, *, case_sensitive: bool) -> Json:
    return value.lower() if isinstance(value, str) and not case_sensitive else value


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
