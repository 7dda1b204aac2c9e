"""What filters and tests want of the types that they are given, and the types that filters give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.expressions import typed
from runner.expressions.complaints import Inferring, Side, compare, lacking, reading_hint
from runner.expressions.tests import ALIASES
from runner.expressions.typed import (
    A_NUMBER,
    A_TEXT,
    ANYTHING,
    LIST,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    either,
    list_of,
    many_in_words,
    record_of,
)

GUARDS = frozenset({"string", "number", "integer", "float", "boolean", "mapping", "sequence"})
"""Tests that ask what a value is: behind one of them a value may be less than its type says."""
_KINDS: Mapping[str, int] = {
    "string": TEXT,
    **dict.fromkeys(("number", "integer", "float"), NUMBER),
    "boolean": typed.BOOLEAN,
    "mapping": RECORD,
    "sequence": LIST,
}
_OF_KINDS: Mapping[int, str] = {
    TEXT: "string",
    NUMBER: "number",
    typed.BOOLEAN: "boolean",
    RECORD: "mapping",
    LIST: "sequence",
}
OF_ABSENCE = frozenset({"defined", "undefined"})

_COMPARING = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in"})
_TAKES: Mapping[str, tuple[int, str]] = {
    **dict.fromkeys(("abs", "round"), (NUMBER, "a number")),
    **dict.fromkeys(("lower", "upper", "trim", "replace", "b64encode", "b64decode"), (TEXT, "a text")),
    **dict.fromkeys(("regex_search", "regex_replace", "from_json"), (TEXT, "a text")),
    **dict.fromkeys(("length", "list"), (LIST | TEXT | RECORD, "a list, a text or a record")),
    **dict.fromkeys(("first", "last", "reverse"), (LIST | TEXT, "a list or a text")),
    **dict.fromkeys(("join", "sum", "min", "max", "sort", "unique", "groupby"), (LIST, "a list")),
    **dict.fromkeys(("map", "select", "reject", "selectattr", "rejectattr"), (LIST, "a list")),
    "items": (RECORD, "a record"),
}
"""The kinds that a filter takes; those that are not here take anything, or what only a run can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    given: tuple[Side, ...] = ()
    named: Mapping[str, Side] = field(default_factory=dict)

    def at(self, position: int, name: str) -> Side | None:
        return self.given[position] if position < len(self.given) else self.named.get(name)

    def behind(self, number: int) -> "Arguments":
        return Arguments(given=self.given[number:], named=self.named)


def filtered(name: str, of: Side, arguments: Arguments, state: Inferring) -> Type:
    """The type that the filter `name` makes of a value."""
    kinds, what = _TAKES.get(name, (ANYTHING, ""))
    if not state.wants(kinds, of, f"`{name}` takes {what}", hint=_hint(kinds, of)):
        return _WITHOUT.get(name, UNKNOWN)
    maker = _MAKERS.get(name)
    return UNKNOWN if maker is None else maker(of, arguments, state)


def tested(name: str, of: Side, arguments: Arguments, state: Inferring) -> None:
    """Tell of a test that breaks for sure, or whose outcome is known."""
    name = ALIASES.get(name, name)
    if name in _COMPARING and arguments.given:
        compare(of, name, arguments.given[0], state)
    elif name == "match":
        state.wants(TEXT, of, "`match` takes a text")
    elif name in ("odd", "even"):
        state.wants(NUMBER, of, f"`{name}` asks about a whole number", hint=reading_hint(of.type))


def never_of_kind(name: str, of: Side, state: Inferring) -> None:
    """Tell of a test for a kind that a value is never of, where all depends on the test."""
    kinds = _KINDS.get(name)
    if kinds is not None and not state.may_fail and not of.type.may_be(kinds):
        hint = f"write `{of.source} is {_OF_KINDS[of.type.kinds]}`" if of.type.kinds in _OF_KINDS else None
        state.complain("E177", f"`{of.source}` is {typed.in_words(of.type)}: it is never `{name}`", hint=hint)


def _hint(kinds: int, of: Side) -> str | None:
    if kinds == NUMBER:
        return reading_hint(of.type)
    if kinds == LIST and of.type.kinds & RECORD:
        return "`| items` gives the pairs of a record"
    return "`| string` makes a text of it" if kinds == TEXT and of.type.kinds & NUMBER else None


def _same(of: Side, _arguments: Arguments, _state: Inferring) -> Type:
    return typed.without_null(of.type)


def _reversed(of: Side, _arguments: Arguments, _state: Inferring) -> Type:
    return typed.another_text(typed.without_null(of.type))


def _a(one: Type) -> Callable[[Side, Arguments, Inferring], Type]:
    return lambda _of, _arguments, _state: one


def _default(of: Side, arguments: Arguments, _state: Inferring) -> Type:
    """What stands in the place of null may be of another kind."""
    otherwise = arguments.at(0, "default_value")
    return either(typed.without_null(of.type), otherwise.type if otherwise else A_TEXT)


def _number(of: Side, arguments: Arguments, state: Inferring) -> Type:
    """`int` and `float`; with a default they take anything."""
    otherwise = arguments.at(0, "default")
    if otherwise is not None:
        return either(A_NUMBER, otherwise.type)
    kinds = NUMBER | TEXT | typed.BOOLEAN
    state.wants(kinds, of, "a number is read from a text or a number", hint=reading_hint(of.type))
    return A_NUMBER


def _end(of: Side, _arguments: Arguments, _state: Inferring) -> Type:
    """`first` and `last`."""
    if not of.type.kinds & TEXT:
        return of.type.of_items
    return UNKNOWN if of.type.kinds & LIST else A_TEXT


def _as_list(of: Side, _arguments: Arguments, _state: Inferring) -> Type:
    return list_of(of.type.of_items if of.type.kinds & LIST and not of.type.kinds & (TEXT | RECORD) else UNKNOWN)


def _map(of: Side, arguments: Arguments, state: Inferring) -> Type:
    if arguments.given:
        name = arguments.given[0].written or ""
        return list_of(filtered(name, _each(of), arguments.behind(1), state))
    with state.expecting_absence(is_so="default" in arguments.named):
        found = attribute(of, arguments.named.get("attribute"), state)
    otherwise = arguments.named.get("default")
    return list_of(found if otherwise is None else either(typed.without_null(found), otherwise.type))


def _chosen(of: Side, arguments: Arguments, state: Inferring) -> Type:
    """`select` and `reject`; a test that asks what an item is tells more of those that stay."""
    name = arguments.given[0].written or "" if arguments.given else ""
    tested(name, _each(of), arguments.behind(1), state)
    return list_of(UNKNOWN) if name in GUARDS else list_of(of.type.of_items)


def _chosen_by_attribute(of: Side, arguments: Arguments, state: Inferring) -> Type:
    """`selectattr` and `rejectattr`."""
    name = arguments.given[1].written or "" if len(arguments.given) > 1 else ""
    key = arguments.given[0] if arguments.given else None
    with state.expecting_absence(is_so=name in OF_ABSENCE):
        found = attribute(of, key, state)
    tested(name, Side(said=(key.written if key else None) or "the key", type=found), arguments.behind(2), state)
    return list_of(of.type.of_items)


def _sorted(of: Side, arguments: Arguments, state: Inferring) -> Type:
    """`sort`: its attribute may name several keys, with commas between them."""
    key = arguments.at(2, "attribute")
    for part in (key.written or "").split(",") if key and key.written else ():
        _part_of_items(of, part, state)
    return list_of(of.type.of_items)


def _unique(of: Side, arguments: Arguments, state: Inferring) -> Type:
    attribute(of, arguments.at(1, "attribute"), state)
    return list_of(of.type.of_items)


def _extreme(of: Side, arguments: Arguments, state: Inferring) -> Type:
    attribute(of, arguments.at(1, "attribute"), state)
    return of.type.of_items


def _total(of: Side, arguments: Arguments, state: Inferring) -> Type:
    key = arguments.at(0, "attribute")
    found = attribute(of, key, state) if key else of.type.of_items
    what = (key.written if key else None) or f"an item of {of.source}"
    state.wants(NUMBER, Side(said=what, type=found), "`sum` adds numbers")
    return A_NUMBER


def _joined(of: Side, arguments: Arguments, state: Inferring) -> Type:
    attribute(of, arguments.at(1, "attribute"), state)
    return A_TEXT


def _grouped(of: Side, arguments: Arguments, state: Inferring) -> Type:
    key = arguments.at(0, "attribute")
    with state.expecting_absence(is_so=arguments.at(1, "default") is not None):
        grouper = attribute(of, key, state)
    fields = {"grouper": grouper, "list": list_of(of.type.of_items)}
    return list_of(record_of(fields, closed=True))


def _each(of: Side) -> Side:
    return Side(said="an item", type=of.type.of_items)


def attribute(of: Side, key: Side | None, state: Inferring) -> Type:
    """The type of that part of each item of a list that an `attribute` names; the item itself where it names none."""
    if key is None:
        return of.type.of_items
    return UNKNOWN if key.written is None else _part_of_items(of, key.written, state)


def _part_of_items(of: Side, key: str, state: Inferring) -> Type:
    """By a key, or keys with dots between them."""
    found = of.type.of_items
    for part in key.split("."):
        if found is UNKNOWN or part.isdecimal():
            return UNKNOWN
        found = _field(of, found, part, state)
    return found


def _field(of: Side, one: Type, key: str, state: Inferring) -> Type:
    if not one.may_be(RECORD):
        message = f"the items of `{of.source}` are {many_in_words(one)}, and have no `{key}`"
        return state.complain("E173", message, part=key)
    if one.fields is None or key in one.fields or not one.closed:
        return (one.fields or {}).get(key, UNKNOWN)
    message = f"the records of `{of.source}` have no `{key}`"
    return lacking(Side(type=one), key, state, message=message, part=key)


_MAKERS: Mapping[str, Callable[[Side, Arguments, Inferring], Type]] = {
    **dict.fromkeys(("abs", "round", "length"), _a(A_NUMBER)),
    **dict.fromkeys(("lower", "upper", "trim", "replace", "b64encode", "b64decode", "regex_replace"), _a(A_TEXT)),
    **dict.fromkeys(("json", "string", "urlencode", "odata"), _a(A_TEXT)),
    "regex_search": _a(typed.or_null(A_TEXT)),
    **dict.fromkeys(("int", "float"), _number),
    **dict.fromkeys(("first", "last"), _end),
    "default": _default,
    "groupby": _grouped,
    "items": _a(list_of(typed.A_LIST)),
    "join": _joined,
    "list": _as_list,
    "map": _map,
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys(("select", "reject"), _chosen),
    **dict.fromkeys(("selectattr", "rejectattr"), _chosen_by_attribute),
    "reverse": _reversed,
    "sort": _sorted,
    "sum": _total,
    "unique": _unique,
}
_WITHOUT: Mapping[str, Type] = {"length": A_NUMBER, "sum": A_NUMBER, "abs": A_NUMBER, "round": A_NUMBER}
"""What a filter gives whatever it is given, if it gives anything."""
