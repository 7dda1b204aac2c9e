"""The text of a `$filter` as a tree.

Parsed by hand over one regular expression of tokens; depth is bounded, so that no text ends in anything but a tree or
a `FilterError`. Functions are `contains`, `startswith` and `endswith` alone. What a tree means, `odata_match` knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, assert_never
from uuid import UUID

from runner.foundation.values import Json

_DEEPEST = 40
_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?![\w-])
  | (?P<datetime>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,12})?)?
      (?:Z|[+-][0-9]{2}:[0-9]{2})?)?)(?![\w-])
  | (?P<number>-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?)(?![\w.])
  | (?P<text>'[^']*(?:''[^']*)*')
  | (?P<name>[^\W\d]\w*(?:/[^\W\d]\w*)*)
  | (?P<mark>[(),])
  | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class FilterError(ValueError):
    """The text is no filter; the message is for people."""


Value: TypeAlias = "Json | UUID | datetime"
"""A value in a filter: JSON has no type for GUIDs and moments, which are written without quotes. Moments are in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's name, or a path over a lookup, as it was written: `Status/Id`."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    function: str
    text: "Node"
    part: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    operands: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    operands: "tuple[Node, ...]"


Node: TypeAlias = Literal | Column | Call | Compare | Not | All | Either


def parse(text: str) -> Node:
    """Raises `FilterError`."""
    tokens = _Tokens(text)
    node = _either(tokens, 0)
    tokens.expect("end", "")
    return node


class _Tokens:
    """What is left of a filter; `kind` and `text` are of the token that comes next."""

    def __init__(self, text: str) -> None:
        self._whole = text
        self._next = 0
        self._at = 0
        self.kind = ""
        self.text = ""
        self.step()

    def step(self) -> None:
        found = _TOKEN.match(self._whole, self._next)
        if found is None or found.lastgroup is None:
            self._at = self._next
            raise self.error()
        self.kind, self.text = found.lastgroup, found[found.lastgroup]
        self._at, self._next = found.start(self.kind), found.end()

    def take(self, kind: str, text: str) -> bool:
        """Step over the next token if it is this one."""
        fits = self.kind == kind and self.text == text
        if fits and kind != "end":
            self.step()
        return fits

    def expect(self, kind: str, text: str) -> None:
        if not self.take(kind, text):
            raise self.error()

    def error(self) -> FilterError:
        return FilterError(f"Syntax error at position {self._at} in '{self._whole[:200]}'.")


def _either(tokens: _Tokens, depth: int) -> Node:
    operands = [_all(tokens, depth)]
    while tokens.take("name", "or"):
        operands.append(_all(tokens, depth))
    return operands[0] if len(operands) == 1 else Either(operands=tuple(operands))


def _all(tokens: _Tokens, depth: int) -> Node:
    operands = [_unary(tokens, depth)]
    while tokens.take("name", "and"):
        operands.append(_unary(tokens, depth))
    return operands[0] if len(operands) == 1 else All(operands=tuple(operands))


def _unary(tokens: _Tokens, depth: int) -> Node:
    """`not A eq B` is read as `not (A eq B)` [?]."""
    if depth > _DEEPEST:
        raise FilterError("The filter is nested too deeply.")
    if tokens.take("name", "not"):
        return Not(operand=_unary(tokens, depth + 1))
    left = _operand(tokens, depth)
    if tokens.kind != "name" or tokens.text not in _COMPARISONS:
        return left
    operator = tokens.text
    tokens.step()
    return Compare(operator=operator, left=left, right=_operand(tokens, depth))


def _operand(tokens: _Tokens, depth: int) -> Node:
    if tokens.take("mark", "("):
        node = _either(tokens, depth + 1)
        tokens.expect("mark", ")")
        return node
    kind, text = tokens.kind, tokens.text
    if kind in {"mark", "end"}:
        raise tokens.error()
    tokens.step()
    if kind == "name":
        return _named(tokens, text, depth)
    return Literal(value=_literal(kind, text))


def _named(tokens: _Tokens, name: str, depth: int) -> Node:
    if name in {"true", "false", "null"}:
        return Literal(value=None if name == "null" else name == "true")
    if not tokens.take("mark", "("):
        return Column(path=name)
    if name not in _FUNCTIONS:
        raise FilterError(f"An unknown function with name '{name}' was found.")
    text = _either(tokens, depth + 1)
    tokens.expect("mark", ",")
    part = _either(tokens, depth + 1)
    tokens.expect("mark", ")")
    return Call(function=name, text=text, part=part)


def _literal(kind: str, text: str) -> Value:
    if kind == "guid":
        return UUID(text)
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
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


def compared_with_texts(node: Node) -> Iterator[str]:
    """The paths of all columns that `node` compares with a text, in whatever order."""
    match node:
        case Compare(left=Column(path=path), right=Literal(value=str())):
            yield path
        case Compare(left=Literal(value=str()), right=Column(path=path)):
            yield path
        case Not():
            yield from compared_with_texts(node.operand)
        case All() | Either():
            for operand in node.operands:
                yield from compared_with_texts(operand)
        case _:
            pass


def columns_of(node: Node) -> Iterator[str]:
    """The paths of all columns that `node` reads."""
    match node:
        case Column():
            yield node.path
        case Literal():
            pass
        case Call():
            yield from columns_of(node.text)
            yield from columns_of(node.part)
        case Compare():
            yield from columns_of(node.left)
            yield from columns_of(node.right)
        case Not():
            yield from columns_of(node.operand)
        case All() | Either():
            for operand in node.operands:
                yield from columns_of(operand)
        case _:
            assert_never(node)
