"""The text of a `$filter` as a tree, of bounded depth, or a `FilterError`.

`read` takes all that a service may know, with the holes of templates; `parse` takes what `match` evaluates.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.odata.functions import CALLS, FilterValue, moment
from runner.odata.lexer import COMPARISONS, CONSTANTS, HOLE, OPERATORS, PRODUCTS, SUMS, Token, tokens

_DEEPEST = 40
_ONLY_A_SITE = "'{}' is not evaluated here; a site may know it."
_ZONE = lazy_pattern(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z")
_OF_OTHERS = ("any", "all", "cast", "isof")
"""Functions in whose brackets a name need not be a column of the entity that is filtered."""


class FilterError(ValueError):
    """The text is no filter. It cannot be read `at` the word of `found`, `inside` this function."""

    def __init__(
        self, message: str, *, found: tuple[Token, ...] = (), at: int | None = None, inside: str | None = None
    ) -> None:
        super().__init__(message)
        self.found = found
        self.at = at
        self.inside = inside


class Literal(Struct, frozen=True, kw_only=True):
    value: FilterValue


class Column(Struct, frozen=True, kw_only=True):
    """A column's name, or a path over a lookup, as it was written: `Status/Id`."""

    path: str


class UnreadWord(Struct, frozen=True, kw_only=True):
    """A word in the place of a value that only a service reads, a template gives, or nobody reads."""

    token: Token


class Operation(Struct, frozen=True, kw_only=True):
    """An operator or a function by its written name, with its operands; so is `o:`, the variable of a lambda."""

    name: str
    operands: "tuple[Node, ...]"


Node: TypeAlias = Literal | Column | UnreadWord | Operation


def read(text: str) -> Node:
    """Raises `FilterError`."""
    parser = _Parser(text)
    node = parser.either(0)
    if parser.next is not None:
        raise parser.error()
    return node


def parse(text: str) -> Node:
    """The tree of columns, literals and functions that `match` evaluates. Raises `FilterError`."""
    node = read(text)
    if (wrong := not_evaluated(node, text)) is not None:
        raise FilterError(wrong)
    return node


def not_evaluated(node: Node, text: str) -> str | None:
    """Why `match` does not evaluate a tree."""
    return next((wrong for part in nodes_in(node) if (wrong := _not_evaluated(part, text))), None)


def _not_evaluated(node: Node, text: str) -> str | None:
    match node:
        case UnreadWord(token=token) if token.kind == "moment":
            return f"'{token.text}' is no date."
        case UnreadWord(token=token):
            return _syntax_error(token.start, text)
        case Operation(name=name, operands=operands) if function := CALLS.get(name.rpartition("/")[2]):
            if not function.takes_as_many(len(operands)):
                return f"No function signature for the function with name '{name}' matches."
            return None if function.call else _ONLY_A_SITE.format(name)
        case Operation(name="has"):
            return _ONLY_A_SITE.format("has")
        case Operation(name=name) if name not in OPERATORS:
            return f"An unknown function with name '{name}' was found."
        case _:
            return None


def readable(text: str) -> Node | None:
    """The tree as by `read`; None for no filter, which is reported elsewhere."""
    try:
        return read(text)
    except FilterError:
        return None


def _syntax_error(at: int, text: str) -> str:
    return f"Syntax error at position {at} in '{text[:200]}'."


class _Parser:
    """What is left of a filter; `next` is the token that comes next, None at the end."""

    def __init__(self, text: str) -> None:
        self._whole = text
        self._tokens = tokens(text)
        self._at = 0
        self.next = self._tokens[0] if self._tokens else None

    def either(self, depth: int) -> Node:
        return self._joined("or", self._all, depth)

    def error(self, inside: str | None = None) -> FilterError:
        at = len(self._whole) if self.next is None else self.next.start
        return FilterError(_syntax_error(at, self._whole), found=self._tokens, at=self._at, inside=inside)

    def _step(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        self.next = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token

    def _take(self, text: str) -> bool:
        """Step over the next token if it has this text."""
        fits = self.next is not None and self.next.text == text
        if fits:
            self._step()
        return fits

    def _is_at_a_bracket(self) -> bool:
        return self.next is not None and self.next.text == "("

    def _operator(self, *names: str) -> str | None:
        """Step over an operator, in small letters or not, and give it as it is written."""
        return self._step().text if self.next is not None and self.next.text.casefold() in names else None

    def _joined(self, operator: str, operand: Callable[[int], Node], depth: int) -> Node:
        """Operands with the same operator between them, or a single operand; a template may give any operator."""
        names, operands = [operator], [operand(depth)]
        while (name := self._operator(operator)) or (operator == "and" and self._is_beside_a_hole()):
            names.append(name or HOLE)
            operands.append(operand(depth))
        odd = next((name for name in names if name != operator), operator)
        return operands[0] if len(operands) == 1 else Operation(name=odd, operands=tuple(operands))

    def _all(self, depth: int) -> Node:
        return self._joined("and", self._comparison, depth)

    def _is_beside_a_hole(self) -> bool:
        """Whether two values are side by side, and a template may give what joins them."""
        before, after = self._tokens[self._at - 1], self.next
        return after is not None and (after.kind == "any" or (before.kind == "any" and after.is_operand))

    def _comparison(self, depth: int) -> Node:
        return self._from_left(COMPARISONS, self._sum, depth)

    def _sum(self, depth: int) -> Node:
        return self._from_left(SUMS, self._product, depth)

    def _product(self, depth: int) -> Node:
        return self._from_left(PRODUCTS, self._unary, depth)

    def _from_left(self, operators: Collection[str], operand: Callable[[int], Node], depth: int) -> Node:
        node = operand(depth)
        while operator := self._operator(*operators):
            node = Operation(name=operator, operands=(node, operand(depth)))
        return node

    def _unary(self, depth: int) -> Node:
        """`not A eq B` is `(not A) eq B`."""
        if depth > _DEEPEST:
            raise FilterError("The filter is nested too deeply.")
        if self._is_not():
            return Operation(name=self._step().text, operands=(self._unary(depth + 1),))
        left = self._operand(depth)
        operator = self._operator("in", "has")
        if operator is None:
            return left
        is_list = operator.casefold() == "in" and self._is_at_a_bracket()
        return Operation(name=operator, operands=(left, *(self._list(depth) if is_list else [self._operand(depth)])))

    def _is_not(self) -> bool:
        """`NOT` alone may be a column."""
        if self.next is None or self.next.text.casefold() != "not":
            return False
        following = self._tokens[self._at + 1 : self._at + 2]
        return self.next.text == "not" or any(after.text == "(" or after.is_operand for after in following)

    def _operand(self, depth: int) -> Node:
        if self._take("("):
            node = self.either(depth + 1)
            if not self._take(")"):
                raise self.error()
            return node
        if self.next is None or not (self.next.is_operand or self.next.kind == "any"):
            raise self.error()
        token = self._step()
        if token.is_called or (token.kind == "name" and self._is_at_a_bracket()):
            return Operation(name=token.text, operands=tuple(self._list(depth, inside=token.text)))
        if token.kind == "any" and token.text.endswith(":"):
            return Operation(name=token.text, operands=(self.either(depth + 1),))
        if token.text in CONSTANTS:
            return Literal(value=None if token.text == "null" else token.text == "true")
        return Column(path=token.text) if token.kind == "name" else _literal(token)

    def _list(self, depth: int, *, inside: str | None = None) -> Iterator[Node]:
        """What is in brackets, with commas between."""
        self._step()
        if self._take(")"):
            return
        yield self.either(depth + 1)
        while self._take(","):
            yield self.either(depth + 1)
        if not self._take(")"):
            raise self.error(inside)


def _literal(token: Token) -> Literal | UnreadWord:
    text = token.text
    match token.kind:
        case "guid":
            return Literal(value=UUID(text))
        case "text":
            return Literal(value=text[1:-1].replace("''", "'"))
        case "number" if not text[-1].isalpha():  # a suffix of a type is of OData v3
            return Literal(value=float(text) if set(text) & set(".eE") else int(text))
        case "moment" if not has_no_zone(text) and (at := moment(text)) is not None:
            return Literal(value=at)
        case _:
            return UnreadWord(token=token)


def has_no_zone(text: str) -> bool:
    """Whether a moment lacks its time zone: OData has none without."""
    return "T" in text and not _ZONE.search(text)


def nodes_in(node: Node, *, without: Collection[str] = ()) -> Iterator[Node]:
    """`node` and all below it, in the order of the text, but what is in the brackets of the functions `without`."""
    yield node
    if isinstance(node, Operation) and node.name.rpartition("/")[2] not in without:
        for operand in node.operands:
            yield from nodes_in(operand, without=without)


def columns_of(node: Node) -> Iterator[str]:
    """The paths of all columns that `node` reads, but those of other entities and what may be the name of a type."""
    return (part.path for part in nodes_in(node, without=_OF_OTHERS) if isinstance(part, Column))
