"""The table of all filters, and those among them that apply a filter or a test to each item of a list.

Those name the other filter or test as a text, as in `selectattr("Name", "eq", "x")`; parsing has seen to it that it
is known and rightly called. Every one of them makes a list, and `Work` is spent on each item.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from runner.expressions import list_filters, scalar_filters
from runner.expressions.errors import EvaluationError
from runner.expressions.list_filters import attribute_at, attribute_of, items_for
from runner.expressions.operations import LARGEST_TEXT, Absent, Value, Work, effort, present, size
from runner.expressions.signatures import Called, called
from runner.expressions.tests import apply_test
from runner.foundation.values import Json

Arguments: TypeAlias = list[Json]
Keywords: TypeAlias = Mapping[str, Json]
_Loop: TypeAlias = Callable[[list[Json], Arguments, Keywords, Work], list[Json]]

_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": scalar_filters.absolute,
    "b64decode": scalar_filters.b64decode,
    "b64encode": scalar_filters.b64encode,
    "first": list_filters.first,
    "float": scalar_filters.to_float,
    "from_json": scalar_filters.from_json,
    "groupby": list_filters.groupby,
    "int": scalar_filters.to_integer,
    "items": list_filters.pairs,
    "join": list_filters.join,
    "json": scalar_filters.to_json,
    "last": list_filters.last,
    "length": list_filters.length,
    "list": list_filters.to_list,
    "lower": scalar_filters.lower,
    "max": list_filters.highest,
    "min": list_filters.lowest,
    "odata": scalar_filters.odata,
    "regex_replace": scalar_filters.regex_replace,
    "regex_search": scalar_filters.regex_search,
    "replace": scalar_filters.replaced,
    "reverse": list_filters.reverse,
    "round": scalar_filters.rounded,
    "sort": list_filters.in_order,
    "string": scalar_filters.string,
    "sum": list_filters.total,
    "trim": scalar_filters.trim,
    "unique": list_filters.unique,
    "upper": scalar_filters.upper,
    "urlencode": scalar_filters.urlencode,
}


def default(value: Value, default_value: Json = "", boolean: Json = False) -> Json:  # noqa: FBT002  called with JSON
    """`default_value` in place of what is absent or null; with `boolean`, also of what is false or empty."""
    if isinstance(value, Absent) or value is None or (boolean and not value):
        return default_value
    return value


_HEAVY = frozenset({"from_json", "list", "regex_replace"})
"""Filters that make much of each character."""

FILTERS: dict[str, Called[Value]] = {name: called(function) for name, function in _FUNCTIONS.items()}
FILTERS["default"] = called(default)


def apply_filter(name: str, value: Value, arguments: Arguments, keywords: Keywords, *, work: Work) -> Value:
    """Apply the filter `name`. Only `default` may be given what is absent."""
    if name == "default":
        return default(value, *arguments, **keywords)
    given = present(value)
    work.spend(size(given) if name in _HEAVY else effort(given))
    if (loop := LOOPS.get(name)) is not None:
        items = items_for(name, given)
        work.spend(len(items) * (sum(map(effort, arguments)) + sum(map(effort, keywords.values()))))
        return loop(items, arguments, keywords, work)
    return FILTERS[name].call(given, *arguments, **keywords)


def _map(items: list[Json], arguments: Arguments, keywords: Keywords, work: Work) -> list[Json]:
    if not arguments:
        return list(_attributes(items, keywords))
    name, more = _text(arguments[0]), arguments[1:]
    made: list[Json] = []
    length = 0
    for item in items:
        one = present(apply_filter(name, item, more, keywords, work=work))
        length += size(one)
        if length > LARGEST_TEXT:
            raise EvaluationError(f"`map` with `{name}` makes more than 1 MiB")
        made.append(one)
    return made


def _attributes(items: list[Json], keywords: Keywords) -> Iterator[Json]:
    attribute = keywords["attribute"]
    for index, item in enumerate(items):
        if "default" in keywords:
            yield default(attribute_of(item, attribute), keywords["default"])
        else:
            yield attribute_at(index, item, attribute)


def _select(items: list[Json], arguments: Arguments, _keywords: Keywords, work: Work) -> list[Json]:
    return [item for item in items if _holds(item, arguments, work)]


def _reject(items: list[Json], arguments: Arguments, _keywords: Keywords, work: Work) -> list[Json]:
    return [item for item in items if not _holds(item, arguments, work)]


def _selectattr(items: list[Json], arguments: Arguments, _keywords: Keywords, work: Work) -> list[Json]:
    return [item for item, part in _parts(items, arguments) if _holds(part, arguments[1:], work)]


def _rejectattr(items: list[Json], arguments: Arguments, _keywords: Keywords, work: Work) -> list[Json]:
    return [item for item, part in _parts(items, arguments) if not _holds(part, arguments[1:], work)]


def _parts(items: list[Json], arguments: Arguments) -> Iterator[tuple[Json, Value]]:
    """Each item with the part that the first argument names; where the test asks about absence, that may be absent."""
    asks_absence = len(arguments) > 1 and arguments[1] in {"defined", "undefined"}
    for index, item in enumerate(items):
        yield item, attribute_of(item, arguments[0]) if asks_absence else attribute_at(index, item, arguments[0])


def _holds(value: Value, arguments: Arguments, work: Work) -> bool:
    if not arguments:
        return bool(value)
    work.spend(effort(value))
    return apply_test(_text(arguments[0]), value, arguments[1:])


def _text(value: Json) -> str:
    assert isinstance(value, str)
    return value


LOOPS: dict[str, _Loop] = {
    "map": _map,
    "select": _select,
    "reject": _reject,
    "selectattr": _selectattr,
    "rejectattr": _rejectattr,
}
"""Filters whose first arguments name what is done to each item."""
