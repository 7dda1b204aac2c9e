"""The types in a filter, as far as they are known, and what a service of OData refuses by them.

`column_type` gives the type of a column by its path; None if it is unknown.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from msgspec import Struct

from runner.odata.filter import Column, Literal, Node, Operation, nodes_in
from runner.odata.functions import FUNCTIONS, NUMBERS, Edm
from runner.odata.lexer import COMPARISONS, PRODUCTS, SUMS

ColumnType: TypeAlias = Callable[[str], Edm | None]

CONDITIONS: Final = ("and", "or", "not")
_ARITHMETIC: Final = frozenset({*SUMS, *PRODUCTS})
_WITHOUT_ARITHMETIC: Final = frozenset({Edm.STRING, Edm.BOOLEAN, Edm.GUID})
_OF_EVERY_SITE: Final = {
    "Id": Edm.GUID,
    "Name": Edm.STRING,
    **dict.fromkeys(("CreatedOn", "ModifiedOn"), Edm.MOMENT),
    **dict.fromkeys(("CreatedById", "ModifiedById"), Edm.GUID),
}


class TypeClash(Struct, frozen=True, kw_only=True):
    """`operand` of `operation`, the whole filter without `operation`, is `given`, and `wanted` is what would fit."""

    operation: Operation | None
    operand: Node
    given: Edm
    wanted: Edm

    def __str__(self) -> str:
        """In the words of a site."""
        if self.operation is None:
            return "The $filter expression must evaluate to a single boolean value."
        name = self.operation.name
        if name == "not":
            return f"A unary operator with an incompatible type was detected. Found operand type '{self.given}'."
        if name in FUNCTIONS:
            return f"No function signature for the function with name '{name}' matches the specified arguments."
        types = f"Found operand types '{self.wanted}' and '{self.given}'"
        return f"A binary operator with incompatible types was detected. {types}."


def of_every_site(path: str) -> Edm | None:
    """The type of a column that has it on every site."""
    return _OF_EVERY_SITE.get(path.rpartition("/")[2])


def type_clashes(tree: Node, column_type: ColumnType) -> Iterator[TypeClash]:
    """What is of another type than what is around it wants, the outer before the inner."""

    def of(operation: Operation | None, operand: Node, wanted: Edm | None) -> Iterator[TypeClash]:
        given = type_of(operand, column_type)
        if given is not None and wanted is not None and _family(given) != _family(wanted):
            yield TypeClash(operation=operation, operand=operand, given=given, wanted=wanted)

    yield from of(None, tree, Edm.BOOLEAN)
    for node in nodes_in(tree):
        if not isinstance(node, Operation):
            continue
        for operand, wanted in _wanted(node, column_type):
            yield from of(node, operand, wanted)


def type_of(node: Node, column_type: ColumnType) -> Edm | None:
    match node:
        case Literal(value=value):
            return next((edm for kind, edm in _LITERALS if isinstance(value, kind)), None)
        case Column(path=path):
            return column_type(path)
        case Operation(name=name) if name.casefold() in {*COMPARISONS, *CONDITIONS, "in", "has"}:
            return Edm.BOOLEAN
        case Operation(name=name, operands=operands) if name.casefold() in _ARITHMETIC:
            return Edm.DECIMAL if all(type_of(operand, column_type) in NUMBERS for operand in operands) else None
        case Operation(name=name) if (function := FUNCTIONS.get(name.rpartition("/")[2])) is not None:
            return function.gives
        case _:
            return None


_LITERALS: Final = (
    (bool, Edm.BOOLEAN),
    (int, Edm.INTEGER),
    (float, Edm.DECIMAL),
    (str, Edm.STRING),
    (UUID, Edm.GUID),
    (datetime, Edm.MOMENT),
)


def _wanted(node: Operation, column_type: ColumnType) -> Iterator[tuple[Node, Edm | None]]:
    """The operands of `node`, each with the type that it must have."""
    name = node.name.casefold()
    if name in CONDITIONS:
        yield from ((operand, Edm.BOOLEAN) for operand in node.operands)
    elif name in COMPARISONS or name == "in":
        yield from ((other, type_of(node.operands[0], column_type)) for other in node.operands[1:])
    elif name in _ARITHMETIC:  # moments have arithmetic, too
        texts = [operand for operand in node.operands if type_of(operand, column_type) in _WITHOUT_ARITHMETIC]
        yield from ((operand, Edm.DECIMAL) for operand in texts)
    elif (function := FUNCTIONS.get(node.name)) is not None:
        yield from zip(node.operands, function.takes or (), strict=False)


def _family(kind: Edm) -> Edm:
    return Edm.DECIMAL if kind in NUMBERS else kind
