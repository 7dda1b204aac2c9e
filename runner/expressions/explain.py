"""The values that explain how an expression came out. It works parts of it out once more, and only when asked."""

from jinja2 import nodes

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import Absent
from runner.expressions.parse import Expression
from runner.expressions.scope import Scope, part_of
from runner.expressions.source import written
from runner.expressions.walk import walk
from runner.foundation.values import Json


def values_seen(expression: Expression, scope: Scope) -> list[tuple[str, Json]]:
    """What explains the value of `expression`: sides of its comparisons that were worked out, then what it names.

    Each with its source; what has no value is left out.
    """
    if expression.tree is None:
        value = part_of(scope, expression.path or ())
        return [] if isinstance(value, Absent) else [(expression.text, value)]
    shown = {written(node): node for node in _sides(expression.tree) + _paths(expression.tree)}
    seen: list[tuple[str, Json]] = []
    for source, node in shown.items():
        try:
            value = walk(node, scope)
        except EvaluationError:
            continue
        if not isinstance(value, Absent):
            seen.append((source, value))
    return seen


def _sides(tree: nodes.Node) -> list[nodes.Expr]:
    """Both sides of each comparison that decides over `tree`, where they are more than a path or a constant."""
    match tree:
        case nodes.And() | nodes.Or():
            return _sides(tree.left) + _sides(tree.right)
        case nodes.Not():
            return _sides(tree.node)
        case nodes.Compare():
            both = [tree.expr, *(operand.expr for operand in tree.ops)]
        case nodes.Test():
            both = [tree.node]
        case _:
            return []
    return [side for side in both if not _is_path(side) and (side.find(nodes.Name) or side.find(nodes.Call))]


def _is_path(node: nodes.Node) -> bool:
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node = node.node
    return isinstance(node, nodes.Name)


def _paths(tree: nodes.Node) -> list[nodes.Expr]:
    """Every name with the keys behind it, in the order of the text."""
    if isinstance(tree, nodes.Expr) and _is_path(tree):
        return [tree]
    if isinstance(tree, nodes.Call):
        return [path for argument in tree.args for path in _paths(argument)]
    return [path for child in tree.iter_child_nodes() for path in _paths(child)]
