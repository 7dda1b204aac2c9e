"""The options of an OData read, `$filter $select $orderby $top $skip $count`, and their effect.

Those of `_NOT_KNOWN`, which would change the answer, are refused, others ignored [?].
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject, compact
from runner.odata.filter import FilterError, Node, columns_of, parse
from runner.odata.functions import Edm
from runner.odata.match import holds
from runner.odata.names import listed, order_of
from runner.odata.types import type_clashes
from runner.sandbox.entity_set import EntitySet

_NOT_KNOWN = ("$apply", "$search", "$compute", "$expand")
_NUMBER = lazy_pattern(r"[0-9]{1,9}")


class OptionError(ValueError):
    """An option that cannot be read; the message is for people."""


class Options(Struct, frozen=True, kw_only=True):
    """The options of a read."""

    filter: Node | None = None
    select: tuple[str, ...] | None = None  # None: every column
    order: tuple[tuple[str, bool], ...] = ()  # paths, and whether descending
    paths: tuple[str, ...] = ()  # of filter and order
    top: int | None = None
    skip: int = 0
    count: bool = False


def read_options(query: Mapping[str, str], entity: EntitySet) -> Options:
    """Raises `OptionError`: also for an unknown column, and for a column compared with another type."""
    for option in _NOT_KNOWN:
        if option in query:
            raise OptionError(f"The sandbox does not know `{option}`, which a site does.")
    known = frozenset(entity.paths)
    node = _filter(query.get("$filter", ""))
    order = tuple(_ordered_by(query.get("$orderby", "")))
    paths = tuple(dict.fromkeys((*(columns_of(node) if node else ()), *(path for path, _ in order))))
    for path in paths:
        _require(path, known)
        if path in entity.lookups and entity.type_of(path) is Edm.GUID:
            raise OptionError(f"Column by path {path} not found in schema {entity.name}.")
    if node is not None and (clash := next(type_clashes(node, entity.type_of_path), None)) is not None:
        raise OptionError(str(clash))
    return Options(
        filter=node,
        select=selected(query.get("$select", ""), entity.columns),
        order=order,
        paths=paths,
        top=_whole_number(query, "$top"),
        skip=_whole_number(query, "$skip") or 0,
        count=query.get("$count") == "true",
    )


def matching(options: Options, rows: Iterable[JsonObject]) -> list[JsonObject]:
    """The rows that meet the filter, in order; neither skipped nor cut yet."""
    node = options.filter
    found = [row for row in rows if node is None or holds(node, row)]
    for path, descending in reversed(options.order):
        found.sort(key=partial(_rank, path=path), reverse=descending)
    return found


def page(options: Options, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
    return rows[options.skip : None if options.top is None else options.skip + options.top]


def _filter(text: str) -> Node | None:
    try:
        return parse(text) if text.strip() else None
    except FilterError as error:
        raise OptionError(str(error)) from None


def _ordered_by(text: str) -> Iterable[tuple[str, bool]]:
    for part in listed(text) if text.strip() else ():
        found = order_of(" ".join(part.split()))
        if found is None:
            raise OptionError(f"Syntax error in $orderby '{text[:200]}'.")
        yield found


def selected(text: str, columns: Sequence[str]) -> tuple[str, ...] | None:
    """The columns that a `$select` leaves; None for all. Raises `OptionError`."""
    names = listed(text) if text.strip() else ("*",)
    if "*" in names:
        return None
    for name in names:
        _require(name, columns)
    return tuple(dict.fromkeys(names))


def _require(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise OptionError(f"Could not find a property named '{name}'.")


def _whole_number(query: Mapping[str, str], option: str) -> int | None:
    text = query.get(option)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise OptionError(f"Invalid value '{text[:50]}' for {option}.")
    return int(text)


def _rank(row: Mapping[str, Json], *, path: str) -> tuple[int, float, str]:
    """Null before booleans before numbers before texts, so that any two values have an order."""
    match value := row.get(path):
        case None:
            return 0, 0, ""
        case bool():
            return 1, value, ""
        case int() | float():
            return 2, value, ""
        case str():
            return 3, 0, value
        case _:
            return 4, 0, compact(value)
