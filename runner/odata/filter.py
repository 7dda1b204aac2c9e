"""The text of a `$filter` as a tree.

Depth is bounded, so that no text ends in anything but a tree or a `FilterError`. Functions are `contains`,
`startswith` and `endswith` alone. What a tree means, `match` knows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from runner.foundation.values import Json
from runner.odata.lexer import COMPARISONS, CONSTANTS, TEXT_FUNCTIONS, Token, tokens

_DEEPEST = 40


class FilterError(ValueError):
    """The text is no filter; the message is for people."""


FilterValue: TypeAlias = "Json | UUID | datetime"
"""A value in a filter: JSON has no type for GUIDs and moments, which are written without quotes. Moments are in UTC."""


class Literal(Struct, frozen=True, kw_only=True):
    value: FilterValue


class Column(Struct, frozen=True, kw_only=True):
    """A column's name, or a path over a lookup, as it was written: `Status/Id`."""

    path: str


class TextTest(Struct, frozen=True, kw_only=True):
    """A call of a function that searches `text` for `part`."""

    function: str
    text: "Node"
    part: "Node"


class Condition(Struct, frozen=True, kw_only=True):
    operator: str
    left: "Node"
    right: "Node"


class Not(Struct, frozen=True, kw_only=True):
    operand: "Node"


class All(Struct, frozen=True, kw_only=True):
    operands: "tuple[Node, ...]"


class Either(Struct, frozen=True, kw_only=True):
    operands: "tuple[Node, ...]"


Node: TypeAlias = Literal | Column | TextTest | Condition | Not | All | Either


def parse(text: str) -> Node:
    """Raises `FilterError`."""
    parser = _Parser(text)
    node = parser.either(0)
    if parser.next is not None:
        raise parser.error()
    return node


class _Parser:
    """What is left of a filter; `next` is the token that comes next, None at the end."""

    def __init__(self, text: str) -> None:
        self._whole = text
        self._tokens = iter(tokens(text))
        self.next = next(self._tokens, None)

    def either(self, depth: int) -> Node:
        operands = [self._all(depth)]
        while self._take("or"):
            operands.append(self._all(depth))
        return operands[0] if len(operands) == 1 else Either(operands=tuple(operands))

    def error(self) -> FilterError:
        at = len(self._whole) if self.next is None else self.next.start
        return FilterError(f"Syntax error at position {at} in '{self._whole[:200]}'.")

    def _step(self) -> Token:
        token = self.next
        if token is None:
            raise self.error()
        self.next = next(self._tokens, None)
        return token

    def _take(self, text: str) -> bool:
        """Step over the next token if it has this text."""
        fits = self.next is not None and self.next.text == text
        if fits:
            self._step()
        return fits

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self.error()

    def _all(self, depth: int) -> Node:
        operands = [self._unary(depth)]
        while self._take("and"):
            operands.append(self._unary(depth))
        return operands[0] if len(operands) == 1 else All(operands=tuple(operands))

    def _unary(self, depth: int) -> Node:
        """`not A eq B` is read as `not (A eq B)` [?]."""
        if depth > _DEEPEST:
            raise FilterError("The filter is nested too deeply.")
        if self._take("not"):
            return Not(operand=self._unary(depth + 1))
        left = self._operand(depth)
        if self.next is None or self.next.text not in COMPARISONS:
            return left
        operator = self._step().text
        return Condition(operator=operator, left=left, right=self._operand(depth))

    def _operand(self, depth: int) -> Node:
        if self._take("("):
            node = self.either(depth + 1)
            self._expect(")")
            return node
        if self.next is None or self.next.kind in ("mark", "any", ""):
            raise self.error()
        if self.next.kind != "name":
            return Literal(value=self._literal(self.next))
        return self._named(self._step(), depth)

    def _named(self, token: Token, depth: int) -> Node:
        name = token.text
        if name in CONSTANTS:
            return Literal(value=None if name == "null" else name == "true")
        if not self._take("("):
            return Column(path=name)
        if name not in TEXT_FUNCTIONS:
            raise FilterError(f"An unknown function with name '{name}' was found.")
        text = self.either(depth + 1)
        self._expect(",")
        part = self.either(depth + 1)
        self._expect(")")
        return TextTest(function=name, text=text, part=part)

    def _literal(self, token: Token) -> FilterValue:
        text = token.text
        if token.kind == "number" and text[-1].isalpha():
            raise self.error()  # a suffix of a type is of OData v3
        self._step()
        match token.kind:
            case "guid":
                return UUID(text)
            case "text":
                return text[1:-1].replace("''", "'")
            case "number":
                return float(text) if set(text) & set(".eE") else int(text)
        at = moment(text)
        if at is None:
            raise FilterError(f"'{text}' is no date.")
        return at


def moment(text: str) -> datetime | None:
    """A date or time as OData writes it; without an offset it is UTC. None for any other text."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nodes_in(node: Node) -> Iterator[Node]:
    """`node` and all below it, in the order of the text."""
    yield node
    match node:
        case TextTest(text=left, part=right) | Condition(left=left, right=right):
            yield from nodes_in(left)
            yield from nodes_in(right)
        case Not(operand=operand):
            yield from nodes_in(operand)
        case All(operands=operands) | Either(operands=operands):
            for operand in operands:
                yield from nodes_in(operand)
        case Literal() | Column():
            pass


def columns_of(node: Node) -> Iterator[str]:
    """The paths of all columns that `node` reads."""
    return (part.path for part in nodes_in(node) if isinstance(part, Column))


def compared_with_texts(node: Node) -> Iterator[str]:
    """The paths of all columns that `node` compares with a text, in whatever order."""
    for part in nodes_in(node):
        match part:
            case Condition(left=Column(path=path), right=Literal(value=str())):
                yield path
            case Condition(left=Literal(value=str()), right=Column(path=path)):
                yield path
