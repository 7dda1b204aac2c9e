"""Expressions that are true whatever the values are, as far as their form shows it: they check nothing."""

from collections.abc import Collection

from jinja2 import nodes

_PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem)
_TURNED = {"lteq": "gteq", "lt": "gt"}


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


def no_bound(tree: nodes.Node | None) -> nodes.Expr | None:
    """The value in `value | length >= 0`: nothing has less items than none."""
    match tree:
        case nodes.Compare(ops=[operand]):
            turned = _TURNED.get(operand.op, operand.op)
            return _no_bound(tree.expr, operand.op, operand.expr) or _no_bound(operand.expr, turned, tree.expr)
        case _:
            return None


def _no_bound(left: nodes.Expr, sign: str, right: nodes.Expr) -> nodes.Expr | None:
    value = right.node if isinstance(right, nodes.Neg) else right
    is_length = isinstance(left, nodes.Filter) and left.name == "length" and isinstance(left.node, _PATHS)
    if not is_length or not isinstance(value, nodes.Const) or not isinstance(value.value, (int, float)):
        return None
    least = -value.value if isinstance(right, nodes.Neg) else value.value
    assert isinstance(left, nodes.Filter)
    return left.node if (sign == "gteq" and least <= 0) or (sign in ("gt", "ne") and least < 0) else None


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
