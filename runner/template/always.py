"""Expressions that are true whatever the values are, as far as their form shows it: they check nothing."""

from collections.abc import Collection

from jinja2 import nodes


def always_true(tree: nodes.Expr, *, given: Collection[str]) -> bool:
    """Whether `tree` is true whatever the step gives. `given` are the names that always have a value."""
    match tree:
        case nodes.Const():
            return tree.value is True
        case nodes.Or():
            return always_true(tree.left, given=given) or always_true(tree.right, given=given)
        case nodes.And():
            return always_true(tree.left, given=given) and always_true(tree.right, given=given)
        case nodes.Not():
            return _never_true(tree.node, given)
        case nodes.Test():
            return tree.name == "defined" and _is_given(tree.node, given)
        case _:
            return False


def _never_true(node: nodes.Expr, given: Collection[str]) -> bool:
    match node:
        case nodes.Const():
            return node.value is False
        case nodes.Test():
            return node.name == "undefined" and _is_given(node.node, given)
        case _:
            return False


def _is_given(node: nodes.Node, given: Collection[str]) -> bool:
    return isinstance(node, nodes.Name) and node.name in given
