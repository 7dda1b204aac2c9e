"""Why an expression came out as it did: what was false or not found in it, and the values that it saw.

Its parts are evaluated once more; what breaks is left out.
"""

from collections.abc import Iterator
from typing import TypeAlias

from jinja2 import nodes
from msgspec import Struct

from runner.expressions.errors import EvaluationError
from runner.expressions.evaluate import Scope, part_of, walk
from runner.expressions.filters.lists import attribute_of
from runner.expressions.filters.tests import TESTS
from runner.expressions.operations import Absent, Value
from runner.expressions.operators import COMPARISONS
from runner.expressions.parse import Expression
from runner.expressions.source import keywords, source_text
from runner.foundation.values import Json

_TEST_AND_VALUE = 2


class SeenValue(Struct, frozen=True, kw_only=True):
    source: str
    value: Json


class FalseComparison(Struct, frozen=True, kw_only=True):
    """`sign` as it is written."""

    left: SeenValue
    sign: str
    right: SeenValue


class FailedSearch(Struct, frozen=True, kw_only=True):
    """A list in which nothing was found."""

    source: str
    attribute: str | None  # of each item that was compared, if not the item
    values: list[Json]
    sign: str  # of the comparison, or the name of another test
    wanted: SeenValue | None  # None: the test takes no value


FalsePart: TypeAlias = FalseComparison | FailedSearch


def values_seen(expression: Expression, scope: Scope) -> list[SeenValue]:
    """The sides of comparisons that had to be evaluated, then the names, as far as they have values."""
    if expression.tree is None:
        value = part_of(scope, expression.path or ())
        return [] if isinstance(value, Absent) else [SeenValue(source=expression.text, value=value)]
    shown = {source_text(node): node for node in (*_sides(expression.tree), *_paths(expression.tree))}
    values = ((source, _value(node, scope)) for source, node in shown.items())
    return [SeenValue(source=source, value=value) for source, value in values if not isinstance(value, Absent)]


def false_parts(expression: Expression, scope: Scope) -> list[FalsePart]:
    """What made `expression` false, or kept it from being evaluated, in the order of the text."""
    return [] if expression.tree is None else list(_false_parts(expression.tree, scope))


def false_operand(expression: Expression, scope: Scope) -> str | None:
    """The source of the first operand of an `and` that is false; None of any other expression."""
    tree: nodes.Node | None = expression.tree
    if not isinstance(tree, nodes.And):
        return None
    while isinstance(tree, nodes.And):
        values = [(part, _value(part, scope)) for part in (tree.left, tree.right)]
        if values[0][1] is _BROKEN:
            return None
        tree = next((part for part, value in values if value is False), None)
    return None if tree is None else source_text(tree)


def _sides(tree: nodes.Node) -> Iterator[nodes.Expr]:
    """Both sides of each comparison that decides over `tree`, where they are more than a path or a constant."""
    sides: list[nodes.Expr] = []
    match tree:
        case nodes.And() | nodes.Or():
            yield from _sides(tree.left)
            yield from _sides(tree.right)
        case nodes.Not():
            yield from _sides(tree.node)
        case nodes.Compare():
            sides = [tree.expr, *(operand.expr for operand in tree.ops)]
        case nodes.Test():
            sides = [tree.node]
    yield from (side for side in sides if not _is_path(side) and (side.find(nodes.Name) or side.find(nodes.Call)))


def _is_path(node: nodes.Node) -> bool:
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node = node.node
    return isinstance(node, nodes.Name)


def _paths(tree: nodes.Node) -> Iterator[nodes.Expr]:
    """Every name with its keys, in the order of the text."""
    if isinstance(tree, nodes.Expr) and _is_path(tree):
        yield tree
        return
    for child in tree.args if isinstance(tree, nodes.Call) else tree.iter_child_nodes():
        yield from _paths(child)


def _false_parts(tree: nodes.Node, scope: Scope) -> Iterator[FalsePart]:
    match tree:
        case nodes.And():
            yield from _false_parts(tree.left if _value(tree.left, scope) is not True else tree.right, scope)
        case nodes.Or():
            yield from _false_parts(tree.left, scope)
            yield from _false_parts(tree.right, scope)
        case _:
            searches = list(_failed_searches(tree, scope))
            yield from searches
            if isinstance(tree, nodes.Compare) and not searches:
                yield from _false_comparison(tree, scope)


def _false_comparison(tree: nodes.Compare, scope: Scope) -> Iterator[FalsePart]:
    """The first of a chain that is false."""
    left = tree.expr
    for operand in tree.ops:
        pair = nodes.Compare(left, [operand], lineno=tree.lineno, environment=None)
        if _value(pair, scope) is False:
            yield _compared(left, operand, scope)
            return
        left = operand.expr


def _compared(left: nodes.Expr, operand: nodes.Operand, scope: Scope) -> FalsePart:
    item, container = (SeenValue(source=source_text(node), value=_json(node, scope)) for node in (left, operand.expr))
    if operand.op == "in" and isinstance(container.value, list):
        source, attribute = _column(operand.expr) or (container.source, None)
        return FailedSearch(source=source, attribute=attribute, values=container.value, sign="==", wanted=item)
    return FalseComparison(left=item, sign=COMPARISONS[operand.op].sign, right=container)


def _column(node: nodes.Expr) -> tuple[str, str] | None:
    """The list and the key of `LIST | map(attribute="KEY")`."""
    if not isinstance(node, nodes.Filter) or node.name != "map" or node.node is None:
        return None
    key = next((pair.value for pair in keywords(node) if pair.key == "attribute"), None)
    return (source_text(node.node), key.value) if isinstance(key, nodes.Const) and isinstance(key.value, str) else None


def _failed_searches(tree: nodes.Node, scope: Scope) -> Iterator[FailedSearch]:
    """Every `select` and `selectattr` that chose nothing of a list with items."""
    filters = [tree] if isinstance(tree, nodes.Filter) else []
    for node in [*filters, *tree.find_all(nodes.Filter)]:
        if node.name not in ("select", "selectattr") or node.node is None or keywords(node):
            continue
        items = _value(node.node, scope)
        if isinstance(items, list) and items and _value(node, scope) == []:
            yield _failed_search(node, source_text(node.node), items, scope)


def _failed_search(node: nodes.Filter, source: str, items: list[Json], scope: Scope) -> FailedSearch:
    arguments = [_json(argument, scope) for argument in node.args]
    attribute, tests = (arguments[0], arguments[1:]) if node.name == "selectattr" else (None, arguments)
    comparison = TESTS[str(tests[0])].comparison if tests else ""
    sign = COMPARISONS[comparison].sign if comparison else str(tests[0]) if tests else "true"
    wanted = None
    if len(tests) == _TEST_AND_VALUE:
        wanted = SeenValue(source=source_text(node.args[-1]), value=tests[-1])
    parts = items if attribute is None else [_part(item, attribute) for item in items]
    name = None if attribute is None else str(attribute)
    return FailedSearch(source=source, attribute=name, values=parts, sign=sign, wanted=wanted)


def _part(item: Json, attribute: Json) -> Json:
    found = attribute_of(item, attribute)
    return None if isinstance(found, Absent) else found


_BROKEN = Absent("")  # in the place of a value that cannot be evaluated


def _value(node: nodes.Expr, scope: Scope) -> Value:
    try:
        value = walk(node, scope)
    except EvaluationError:
        return _BROKEN
    return _BROKEN if isinstance(value, Absent) else value


def _json(node: nodes.Expr, scope: Scope) -> Json:
    value = _value(node, scope)
    return None if isinstance(value, Absent) else value
