"""Whether a row meets the tree of a `$filter`, and what is known of all rows that do.

Choices [?]: operands of different types are unequal, and neither is less; texts compare by case. Null equals null
alone.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct, field

from runner.foundation.values import Json, is_number
from runner.odata.filter import Column, Literal, Node, Operation
from runner.odata.functions import CALLS, FilterValue, moment

_ORDERS: Final[Mapping[str, Callable[..., bool]]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


class Bounds(Struct, frozen=True, kw_only=True):
    """What every row that meets a filter is known to be: a hint for a search of rows, never the whole filter."""

    equal: Mapping[str, str] = field(default_factory=dict)
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)


def bounds(node: Node | None) -> Bounds:
    """What the filter's outermost `and` asks for, by path; `among`: any of several texts or GUIDs, in any case."""
    equal: dict[str, str] = {}
    among: dict[str, tuple[str, ...]] = {}
    since: dict[str, datetime] = {}
    for part in node.operands if isinstance(node, Operation) and node.name == "and" else (node,):
        match part:
            case Operation(name="eq", operands=(Column(path=path), Literal(value=(str() | UUID()) as value))):
                equal[path] = str(value)
            case Operation(name="ge" | "gt" | "eq", operands=(Column(path=path), Literal(value=datetime() as at))):
                since[path] = at
            case Operation(name="or", operands=operands):
                among |= _among([bounds(operand).equal for operand in operands])
    return Bounds(equal=equal, among=among | {path: (text,) for path, text in equal.items()}, since=since)


def _among(operands: Sequence[Mapping[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """What several alternative conditions ask for of the same path."""
    paths = [path for path in operands[0] if all(path in operand for operand in operands)]
    return {path: tuple(operand[path] for operand in operands) for path in paths}


def holds(node: Node, row: Mapping[str, Json]) -> bool:
    """Whether `row`, keyed by paths, meets the filter. A filter that is no condition at all holds for none."""
    return _value(node, row) is True


def _value(node: Node, row: Mapping[str, Json]) -> FilterValue:
    match node:
        case Literal():
            return node.value
        case Column():
            return row.get(node.path)
        case Operation(name="and"):
            return all(holds(operand, row) for operand in node.operands)
        case Operation(name="or"):
            return any(holds(operand, row) for operand in node.operands)
        case Operation(name="not", operands=(operand,)):
            return not holds(operand, row)
        case Operation(name="in", operands=(left, *items)):
            value = _value(left, row)
            return any(_compare("eq", value, _value(item, row)) for item in items)
        case Operation(name=name, operands=operands) if name in CALLS:
            return CALLS[name].evaluate(*(_value(operand, row) for operand in operands))
        case Operation(name=name, operands=(left, right)):
            return _compare(name, _value(left, row), _value(right, row))
        case _:
            raise TypeError(f"`parse` makes no tree with {node}")


def _compare(sign: str, left: FilterValue, right: FilterValue) -> bool:
    left, right = _comparable(left, right), _comparable(right, left)
    if sign in {"eq", "ne"}:
        is_same = left == right and isinstance(left, bool) is isinstance(right, bool)
        return is_same is (sign == "eq")
    both_numbers = is_number(left) and is_number(right)
    have_order = both_numbers or any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, datetime))
    return have_order and _ORDERS[sign](left, right)


def _comparable(value: FilterValue, beside: FilterValue) -> FilterValue:
    """A text beside a GUID or a moment as what it is compared with; GUIDs in small letters."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and isinstance(beside, UUID):
        return value.lower()
    if isinstance(value, str) and isinstance(beside, datetime):
        return moment(value) or value
    return value
