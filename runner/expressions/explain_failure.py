"""What decided over an expression: the comparisons in it that came out false, and the lists in which nothing was found.

It works parts of the expression out once more, and only when a failure is to be explained. What breaks is passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from jinja2 import nodes

from runner.expressions.errors import EvaluationError
from runner.expressions.filters.lists import attribute_of
from runner.expressions.filters.tests import TESTS
from runner.expressions.operations import Absent, Value
from runner.expressions.operators import COMPARISONS
from runner.expressions.parse import Expression
from runner.expressions.scope import Scope
from runner.expressions.source import keywords, written
from runner.expressions.walk import walk
from runner.foundation.values import Json

_CHOOSING = frozenset({"select", "selectattr"})
_TEST_AND_VALUE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    source: str
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison that came out false; `sign` as it is written."""

    left: Side
    sign: str
    right: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A list in which nothing was found. `values` are what was looked at, one an item: the item, or its `attribute`.

    `sign` is that of the comparison, or the name of another test; `wanted` is None where the test takes no value.
    """

    source: str
    attribute: str | None
    values: list[Json]
    sign: str
    wanted: Side | None


Deciding: TypeAlias = Compared | Sought


def deciding(expression: Expression, scope: Scope) -> list[Deciding]:
    """What made `expression` false, or kept it from being worked out, in the order of the text."""
    return [] if expression.tree is None else list(_deciding(expression.tree, scope))


def false_part(expression: Expression, scope: Scope) -> str | None:
    """The source of the first part of an `and` that is false; None of any other expression."""
    tree: nodes.Node | None = expression.tree
    if not isinstance(tree, nodes.And):
        return None
    while isinstance(tree, nodes.And):
        tree = _first_false(tree, scope)
    return None if tree is None else written(tree)


def _first_false(tree: nodes.And, scope: Scope) -> nodes.Node | None:
    """None where one of both breaks."""
    for part in (tree.left, tree.right):
        value = _value(part, scope)
        if value is _BROKEN:
            return None
        if value is False:
            return part
    return None


def _deciding(tree: nodes.Node, scope: Scope) -> Iterator[Deciding]:
    match tree:
        case nodes.And():
            yield from _deciding(tree.left if _value(tree.left, scope) is not True else tree.right, scope)
        case nodes.Or():
            yield from _deciding(tree.left, scope)
            yield from _deciding(tree.right, scope)
        case nodes.Compare():
            yield from _of_comparison(tree, scope)
        case _:
            yield from _sought(tree, scope)


def _of_comparison(tree: nodes.Compare, scope: Scope) -> Iterator[Deciding]:
    found: list[Deciding] = list(_sought(tree, scope))
    left = tree.expr
    for operand in tree.ops:
        pair = nodes.Compare(left, [operand], lineno=tree.lineno, environment=None)
        if not found and _value(pair, scope) is False:
            found = [_compared(left, operand, scope)]
        left = operand.expr
    yield from found


def _compared(left: nodes.Expr, operand: nodes.Operand, scope: Scope) -> Deciding:
    """Both sides have values: the comparison has been worked out with them."""
    sides = [Side(source=written(node), value=_json(_value(node, scope))) for node in (left, operand.expr)]
    column = _column(operand.expr) if operand.op == "in" else None
    if column is not None and isinstance(sides[1].value, list):
        base, attribute = column
        return Sought(source=base, attribute=attribute, values=sides[1].value, sign="==", wanted=sides[0])
    if operand.op == "in" and isinstance(sides[1].value, list):
        return Sought(source=sides[1].source, attribute=None, values=sides[1].value, sign="==", wanted=sides[0])
    return Compared(left=sides[0], sign=COMPARISONS[operand.op].sign, right=sides[1])


def _column(node: nodes.Expr) -> tuple[str, str] | None:
    """The list and the key of `LIST | map(attribute="KEY")`."""
    if not isinstance(node, nodes.Filter) or node.name != "map" or node.node is None:
        return None
    key = next((pair.value for pair in keywords(node) if pair.key == "attribute"), None)
    return (written(node.node), key.value) if isinstance(key, nodes.Const) and isinstance(key.value, str) else None


def _sought(tree: nodes.Node, scope: Scope) -> Iterator[Sought]:
    """Choices within `tree` that chose nothing of something."""
    filters = [tree] if isinstance(tree, nodes.Filter) else []
    for node in [*filters, *tree.find_all(nodes.Filter)]:
        if node.name not in _CHOOSING or node.node is None or keywords(node):
            continue
        base = _value(node.node, scope)
        if isinstance(base, list) and base and _value(node, scope) == []:
            yield _nothing(node, base, scope)


def _nothing(node: nodes.Filter, base: list[Json], scope: Scope) -> Sought:
    assert node.node is not None
    arguments = [_json(_value(argument, scope)) for argument in node.args]
    attribute, tests = (arguments[0], arguments[1:]) if node.name == "selectattr" else (None, arguments)
    wanted = node.args[-1] if len(tests) == _TEST_AND_VALUE else None
    return Sought(
        source=written(node.node),
        attribute=None if attribute is None else str(attribute),
        values=base if attribute is None else [_part(item, attribute) for item in base],
        sign=_sign(str(tests[0])) if tests else "true",
        wanted=None if wanted is None else Side(source=written(wanted), value=tests[-1]),
    )


def _sign(test: str) -> str:
    comparison = TESTS[test].comparison
    return COMPARISONS[comparison].sign if comparison else test


def _part(item: Json, attribute: Json) -> Json:
    found = attribute_of(item, attribute)
    return None if isinstance(found, Absent) else found


_BROKEN = Absent("")
"""In the place of a value that could not be worked out."""


def _value(node: nodes.Expr, scope: Scope) -> Value:
    try:
        value = walk(node, scope)
    except EvaluationError:
        return _BROKEN
    return _BROKEN if isinstance(value, Absent) else value


def _json(value: Value) -> Json:
    return None if isinstance(value, Absent) else value
