"""The table of all filters and how they are applied, also to each item, as by `selectattr("Name", "eq", "x")`.

Parsing has checked such names and arguments. `Work` is spent on each item.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from runner.expressions import typed
from runner.expressions.errors import EvaluationError
from runner.expressions.filters import lists, texts
from runner.expressions.filters.lists import attribute_at, attribute_of, attribute_type
from runner.expressions.filters.record import Arguments, Filter, check_kind, kinds_in_words, parameters
from runner.expressions.filters.tests import ABSENCE, TESTS, apply_test, check_test_types
from runner.expressions.operations import LARGEST_TEXT, Value, Work, effort, is_boolean_in_words, present, size
from runner.expressions.type_check import TypeCheck, TypedPart, reading_hint
from runner.expressions.typed import A_NUMBER, LIST, NUMBER, RECORD, TEXT, UNKNOWN, Type, list_of
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

Keywords: TypeAlias = Mapping[str, Json]
_ALL_OTHERS = lazy_pattern(r"\[\^(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w .:@/#+,]|\\[dws.-])+-?\][+*]?", re.ASCII)
"""A pattern of whatever is not among these."""


def apply_filter(name: str, value: Value, arguments: list[Json], keywords: Keywords, *, work: Work) -> Value:
    """Apply the filter `name`. Only `default` may be given what is absent."""
    if name == "default":
        return texts.default(value, *arguments, **keywords)
    given, record = present(value), FILTERS[name]
    work.spend(size(given) if record.heavy else effort(given))
    check_kind(name, record.takes, given)
    if name not in LOOPS:
        return record.call(given, *arguments, **keywords)
    work.spend(size(given) * (sum(map(effort, arguments)) + sum(map(effort, keywords.values()))))
    return record.call(given, arguments, keywords, work)


def filter_type(name: str, part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    """The type of what the filter `name` makes of `part`; reports values that it does not take."""
    record = FILTERS[name]
    why = f"`{name}` takes {kinds_in_words(record.takes)}" if record.takes != typed.ANYTHING else ""
    if not check.require(record.takes, part, why, hint=_kind_hint(record.takes, part)):
        return A_NUMBER if record.gives is A_NUMBER else UNKNOWN
    attribute = _attribute(name, part, arguments, check)
    gives = record.gives
    found = gives if isinstance(gives, Type) else gives(part, replace(arguments, attribute=attribute), check)
    is_plain = found.kinds & TEXT and not any(map(typed.may_hold_quote, _sources(name, part, arguments)))
    return replace(found, plain=True) if is_plain else found


def _sources(name: str, part: TypedPart, arguments: Arguments) -> list[Type]:
    """The types of the values that may bring quotes into what a filter gives."""
    quotes, given = FILTERS[name].quotes, [each.type for each in (*arguments.given, *arguments.named.values())]
    if quotes is True:
        return [UNKNOWN]
    if _takes_quotes_out(name, arguments):
        return []
    return [*given, *([] if quotes is False else [part.type])]


def _takes_quotes_out(name: str, arguments: Arguments) -> bool:
    """`| replace("'", "''")` and `| regex_replace("[^a-z]", "")`."""
    match name, [each.written for each in arguments.given]:
        case (("replace" | "regex_replace"), [str(old), str(new)]) if "'" not in new.replace("''", ""):
            return old == "'" or (name == "regex_replace" and _ALL_OTHERS.fullmatch(old) is not None)
        case _:
            return False


def _attribute(name: str, part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    """The type of the part that the argument `attribute` leads to, or of the item."""
    if name in LOOPS:  # what `map` and its like are given first, they give to another filter or test
        at: Mapping[str, TypedPart | None] = {} if arguments.given else arguments.named
    else:
        names, _ = parameters(FILTERS[name].call)
        at = {parameter: arguments.at(position, parameter) for position, parameter in enumerate(names)}
    keys = at.get("attribute")
    if name == "sort" and keys is not None and keys.written is not None:
        for key in keys.written.split(","):
            attribute_type(part, key, check)
        return UNKNOWN
    with check.within(expects_absence=at.get("default") is not None):
        return _key_type(part, keys, check)


def _key_type(part: TypedPart, key: TypedPart | None, check: TypeCheck) -> Type:
    if key is None:
        return part.type.any_item
    return UNKNOWN if key.written is None else attribute_type(part, key.written, check)


def _kind_hint(takes: int, part: TypedPart) -> str | None:
    if takes == NUMBER:
        return reading_hint(part.type)
    if takes == LIST and part.type.kinds & RECORD:
        return "`| items` gives the pairs of a record"
    return "`| string` makes a text of it" if takes == TEXT and part.type.kinds & NUMBER else None


def _map(items: list[Json], arguments: list[Json], keywords: Keywords, work: Work) -> list[Json]:
    if not arguments:
        return list(_attributes(items, keywords))
    name, more = _text(arguments[0]), arguments[1:]
    made: list[Json] = []
    length = 0
    for item in items:
        filtered = present(apply_filter(name, item, more, keywords, work=work))
        length += size(filtered)
        if length > LARGEST_TEXT:
            raise EvaluationError(f"`map` with `{name}` makes more than 1 MiB")
        made.append(filtered)
    return made


def _attributes(items: list[Json], keywords: Keywords) -> Iterator[Json]:
    attribute = keywords["attribute"]
    for index, item in enumerate(items):
        if "default" in keywords:
            yield texts.default(attribute_of(item, attribute), keywords["default"])
        else:
            yield attribute_at(index, item, attribute)


def _choose(
    items: list[Json], arguments: list[Json], _keywords: Keywords, work: Work, *, by_key: bool, wanted: bool
) -> list[Json]:
    if not by_key:
        return [item for item in items if _holds(item, arguments, work) is wanted]
    return [item for item, part in _parts(items, arguments) if _holds(part, arguments[1:], work) is wanted]


def _parts(items: list[Json], arguments: list[Json]) -> Iterator[tuple[Json, Value]]:
    """Each item with the part that the first argument names; where the test asks about absence, that may be absent."""
    asks_absence = len(arguments) > 1 and arguments[1] in ABSENCE
    for index, item in enumerate(items):
        yield item, attribute_of(item, arguments[0]) if asks_absence else attribute_at(index, item, arguments[0])


def _holds(value: Value, arguments: list[Json], work: Work) -> bool:
    if not arguments:
        if is_boolean_in_words(given := present(value)):
            message = f'a value is the text "{given}", not a boolean'
            raise EvaluationError(message, hint='compare the text, as in `selectattr("Key", "eq", "true")`')
        return bool(given)
    work.spend(effort(value))
    return apply_test(_text(arguments[0]), value, arguments[1:])


def _text(value: Json) -> str:
    assert isinstance(value, str)
    return value


def _map_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    if arguments.given:
        return list_of(filter_type(arguments.given[0].written or "", _each(part), arguments.after(1), check))
    found, otherwise = arguments.attribute, arguments.named.get("default")
    return list_of(found if otherwise is None else typed.either(typed.without_null(found), otherwise.type))


def _chosen_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    """The type of the items that stay: a test of their kind says more of them."""
    name = arguments.given[0].written or "" if arguments.given else ""
    check_test_types(name, _each(part), arguments.after(1), check)
    return list_of(UNKNOWN) if name in TESTS and TESTS[name].kind else list_of(part.type.any_item)


def _chosen_by_key_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    name = arguments.given[1].written or "" if len(arguments.given) > 1 else ""
    key = arguments.given[0] if arguments.given else None
    with check.within(expects_absence=name in ABSENCE):
        found = _key_type(part, key, check)
    chosen = TypedPart(label=(key.written if key else None) or "the key", type=found)
    check_test_types(name, chosen, arguments.after(2), check)
    return list_of(part.type.any_item)


def _each(part: TypedPart) -> TypedPart:
    return TypedPart(label="an item", type=part.type.any_item)


def _choice(about: str, *, by_key: bool, wanted: bool) -> Filter:
    call: Callable[..., list[Json]] = partial(_choose, by_key=by_key, wanted=wanted)
    return Filter(call=call, takes=LIST, gives=_chosen_by_key_type if by_key else _chosen_type, about=about)


LOOPS: Mapping[str, Filter] = {
    "map": Filter(
        call=_map,
        takes=LIST,
        gives=_map_type,
        about='each item after a filter, `map("upper")`, or one key of each, `map(attribute="Id")`',
    ),
    "select": _choice('the items that pass a test: `select("gt", 5)`', by_key=False, wanted=True),
    "reject": _choice("the items that fail a test", by_key=False, wanted=False),
    "selectattr": _choice('records by a key: `selectattr("Name", "eq", "x")`', by_key=True, wanted=True),
    "rejectattr": _choice("the records whose key fails a test", by_key=True, wanted=False),
}
"""Filters whose first arguments name what is done to each item."""

FILTERS: Mapping[str, Filter] = {**texts.FILTERS, **lists.FILTERS, **LOOPS}


def docs() -> str:
    """The list of all filters and tests, for `runner explain`."""
    lines = [f"- Filter `{name}`: {record.about}." for name, record in sorted(FILTERS.items())]
    tests = ", ".join(f"`{name}`" for name in sorted(TESTS) if name.isidentifier())
    return "\n".join([*lines, f"- Tests, after `is`: {tests}."])
