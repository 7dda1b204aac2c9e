"""Whether a row meets the tree of a `$filter`, and what can be said of all rows that do.

What the service does with operands of different types is unknown [?]: here they are unequal, and neither is less.
Texts compare by case [?]. Null is equal to null alone and has no order, as OData has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from uuid import UUID

from runner.foundation.values import Json
from runner.sandbox.odata_filter import All, Call, Column, Compare, Either, Literal, Node, Not, Value, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What every row that meets a filter is known to be: a hint for whoever looks rows up, never the whole filter."""

    equal: Mapping[str, str] = field(default_factory=dict)
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)


def bounds(node: Node | None) -> Bounds:
    """Texts, GUIDs and earliest moments that the filter's outermost `and` asks for, by path; `among` of several texts
    or GUIDs one, in small letters or not.
    """
    equal: dict[str, str] = {}
    among: dict[str, tuple[str, ...]] = {}
    since: dict[str, datetime] = {}
    for part in node.operands if isinstance(node, All) else (node,):
        match part:
            case Compare(operator="eq", left=Column(path=path), right=Literal(value=str(text))):
                equal[path] = text
            case Compare(operator="eq", left=Column(path=path), right=Literal(value=UUID() as guid)):
                equal[path] = str(guid)
            case Compare(operator="ge" | "gt" | "eq", left=Column(path=path), right=Literal(value=datetime() as at)):
                since[path] = at
            case Either(operands=operands):
                among |= _among([bounds(operand).equal for operand in operands])
            case _:
                pass
    return Bounds(equal=equal, among=among | {path: (text,) for path, text in equal.items()}, since=since)


def _among(operands: Sequence[Mapping[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """What each of several conditions, one of which holds, asks for of the same path."""
    paths = [path for path in operands[0] if all(path in operand for operand in operands)]
    return {path: tuple(operand[path] for operand in operands) for path in paths}


def holds(node: Node, row: Mapping[str, Json]) -> bool:
    """Whether `row`, keyed by paths, meets the filter. A filter that is no condition at all holds for none."""
    return _value(node, row) is True


def _value(node: Node, row: Mapping[str, Json]) -> Value:
    match node:
        case Literal():
            return node.value
        case Column():
            return row.get(node.path)
        case Compare():
            return _compared(node.operator, _value(node.left, row), _value(node.right, row))
        case Call():
            return _called(node.function, _value(node.text, row), _value(node.part, row))
        case Not():
            return not holds(node.operand, row)
        case All():
            return all(holds(operand, row) for operand in node.operands)
        case Either():
            return any(holds(operand, row) for operand in node.operands)
        case _:
            assert_never(node)


def _called(function: str, text: object, part: object) -> bool:
    if not isinstance(text, str) or not isinstance(part, str):
        return False
    if function == "contains":
        return part in text
    return text.startswith(part) if function == "startswith" else text.endswith(part)


def _compared(operator: str, left: Value, right: Value) -> bool:
    one, other = _alike(left, right), _alike(right, left)
    if operator in {"eq", "ne"}:
        same = one == other and isinstance(one, bool) is isinstance(other, bool)
        return same is (operator == "eq")
    order = _order(one, other)
    if order is None:
        return False
    return {"gt": order > 0, "ge": order >= 0, "lt": order < 0, "le": order <= 0}[operator]


def _alike(value: Value, beside: Value) -> Value:
    """`value`, where it is one text beside a GUID or a moment, as what it is compared with; GUIDs as small letters."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and isinstance(beside, UUID):
        return value.lower()
    if isinstance(value, str) and isinstance(beside, datetime):
        return moment(value) or value
    return value


def _order(one: Value, other: Value) -> int | None:
    """Less, equal or greater, or None where the two have no order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return None
    match one, other:
        case (int() | float(), int() | float()):
            return (one > other) - (one < other)
        case (str(), str()):
            return (one > other) - (one < other)
        case (datetime(), datetime()):
            return (one > other) - (one < other)
        case _:
            return None
