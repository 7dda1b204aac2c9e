"""The type of an expression, found by walking its tree: nothing is worked out.

What no value of the types could do is a complaint; what some value could do is none.
"""

from collections.abc import Callable, Mapping

from jinja2 import nodes

from runner.expressions import typed
from runner.expressions.complaints import Inferring, Side, compare, item, member, reading_hint, sides
from runner.expressions.filters.record import Arguments
from runner.expressions.filters.table import filter_type
from runner.expressions.filters.tests import ABSENCE, TESTS, check_possible, check_test_types
from runner.expressions.parse import Expression, Template
from runner.expressions.source import dotted, keywords, written, written_key
from runner.expressions.typed import (
    A_BOOLEAN,
    A_NUMBER,
    A_TEXT,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    either,
    of_value,
)
from runner.foundation.problems import Finding
from runner.foundation.values import Path


def of_expression(parsed: Expression, names: Mapping[str, Type]) -> tuple[Type, list[Finding]]:
    """The type of an expression, and what goes wrong in it for sure."""
    state = Inferring(names=names)
    if parsed.path is not None:
        state.line = parsed.names[0].line
        return _of_path(parsed.path, state), state.complaints
    assert parsed.tree is not None
    return _infer(parsed.tree, state), state.complaints


def of_path(path: Path, names: Mapping[str, Type]) -> Type:
    """The type of a name and keys; what goes wrong in it is not told."""
    return _of_path(path, Inferring(names=names))


def type_of(node: nodes.Node, names: Mapping[str, Type]) -> Type:
    """The type of a part of an expression; what goes wrong in it has been told."""
    return _infer(node, Inferring(names=names))


def of_template(parsed: Template, names: Mapping[str, Type]) -> tuple[Type, list[Finding]]:
    """The type of a template: that of its expression where it is one alone, else a text."""
    parts = [part for part in parsed.parts if isinstance(part, Expression)]
    found = [of_expression(part, names) for part in parts]
    complaints = [one for _, complaints in found for one in complaints]
    if len(parsed.parts) == 1 and found:
        return found[0][0], complaints
    around = max((part for part in parsed.parts if isinstance(part, str)), key=len, default=None)
    return Type(kinds=TEXT, holds=around), complaints


def _infer(node: nodes.Node, state: Inferring) -> Type:
    state.line = node.lineno - 1
    return _INFERRERS.get(type(node), _unknown)(node, state)


def _side(node: nodes.Node, state: Inferring) -> Side:
    return Side(type=_infer(node, state), node=node)


def _of_path(path: Path, state: Inferring) -> Type:
    """The type of a plain path, which has no tree."""
    found = state.names.get(str(path[0]), UNKNOWN)
    for depth, key in enumerate(path[1:], 1):
        if found is UNKNOWN:
            break
        of = Side(said=dotted(path[:depth]), type=found)
        found = member(of, key, state) if isinstance(key, str) else item(of, state)
    return found


def _unknown(node: nodes.Node, state: Inferring) -> Type:
    for child in node.iter_child_nodes():
        _infer(child, state)
    return UNKNOWN


def _name(node: nodes.Name, state: Inferring) -> Type:
    return state.names.get(node.name, UNKNOWN)


def _constant(node: nodes.Const, _state: Inferring) -> Type:
    return of_value(node.value)


def _attribute(node: nodes.Getattr, state: Inferring) -> Type:
    of = _side(node.node, state)
    return UNKNOWN if of.type is UNKNOWN else member(of, node.attr, state)


def _item(node: nodes.Getitem, state: Inferring) -> Type:
    of = _side(node.node, state)
    if isinstance(node.arg, nodes.Slice):
        cuts = state.wants(LIST | TEXT, of, "`[:]` cuts a list or a text")
        return typed.another_text(of.type) if cuts else UNKNOWN
    key = written_key(node.arg)
    if isinstance(key, str):
        return member(of, key, state)
    if isinstance(key, int):
        return item(of, state)
    _infer(node.arg, state)
    return UNKNOWN


def _items(node: nodes.List | nodes.Tuple, state: Inferring) -> Type:
    return Type(kinds=LIST, item=typed.any_of([_infer(one, state) for one in node.items]))


def _record(node: nodes.Dict, state: Inferring) -> Type:
    fields: dict[str, Type] = {}
    is_closed = True
    for pair in node.items:
        key, value = written_key(pair.key), _infer(pair.value, state)
        if isinstance(key, str):
            fields[key] = value
        else:
            is_closed = False
    return Type(kinds=RECORD, fields=fields if is_closed else None, closed=is_closed)


def _call(node: nodes.Call, state: Inferring) -> Type:
    for argument in node.args:
        _infer(argument, state)
    return A_TEXT if isinstance(node.node, nodes.Name) and node.node.name == "uuid" else A_BOOLEAN


def _condition(node: nodes.CondExpr, state: Inferring) -> Type:
    with state.where_tests_may_fail():
        _infer(node.test, state)
    with state.behind_a_guard(is_one=guards(node.test), asked=asked(node.test)):
        first = _infer(node.expr1, state)
        return first if node.expr2 is None else either(first, _infer(node.expr2, state))


def _both(node: nodes.And | nodes.Or, state: Inferring) -> Type:
    with state.where_tests_may_fail(is_so=isinstance(node, nodes.Or)):
        left = _infer(node.left, state)
        with state.behind_a_guard(is_one=guards(node.left), asked=asked(node.left)):
            return either(left, _infer(node.right, state))


def guards(node: nodes.Node) -> bool:
    """Whether a test in it asks what a value is."""
    tests = [node] if isinstance(node, nodes.Test) else list(node.find_all(nodes.Test))
    return any(TESTS[test.name].kind != 0 for test in tests)


def asked(node: nodes.Node) -> tuple[str, ...]:
    """The values of which a test in it asks whether they are there."""
    tests = [node] if isinstance(node, nodes.Test) else list(node.find_all(nodes.Test))
    return tuple(written(test.node) for test in tests if test.name in ABSENCE)


def _not(node: nodes.Not, state: Inferring) -> Type:
    with state.where_tests_may_fail():
        _infer(node.node, state)
    return A_BOOLEAN


def _concat(node: nodes.Concat, state: Inferring) -> Type:
    for part in node.nodes:
        _infer(part, state)
    return A_TEXT


def _sum(node: nodes.Add, state: Inferring) -> Type:
    left, right = _side(node.left, state), _side(node.right, state)
    both = left.type.kinds & right.type.kinds & (NUMBER | TEXT | LIST)
    if both:
        items = either(left.type.of_items, right.type.of_items) if both & LIST else None
        return Type(kinds=both, item=items)
    if NULL in (left.type.kinds, right.type.kinds):
        return UNKNOWN
    message = f"`+` adds two numbers, two texts or two lists, and {sides(left, right)}"
    hint = "`~` puts any values into a text" if (left.type.kinds | right.type.kinds) & TEXT else None
    return state.complain("E174", message, hint=hint)


def _calculation(node: nodes.BinExpr, state: Inferring) -> Type:
    for part in (node.left, node.right):
        _wants_number(part, f"`{node.operator}` takes two numbers", state)
    return A_NUMBER


def _signed(node: nodes.Neg | nodes.Pos, state: Inferring) -> Type:
    _wants_number(node.node, f"`{node.operator}` takes a number", state)
    return A_NUMBER


def _wants_number(node: nodes.Node, why: str, state: Inferring) -> None:
    of = _side(node, state)
    state.wants(NUMBER, of, why, hint=reading_hint(of.type))


def _compare(node: nodes.Compare, state: Inferring) -> Type:
    left = _side(node.expr, state)
    for operand in node.ops:
        right = _side(operand.expr, state)
        compare(left, operand.op, right, state)
        left = right
    return A_BOOLEAN


def _arguments(node: nodes.Filter | nodes.Test, state: Inferring) -> Arguments:
    return Arguments(
        given=tuple(_side(argument, state) for argument in node.args),
        named={pair.key: _side(pair.value, state) for pair in keywords(node)},
    )


def _filter(node: nodes.Filter, state: Inferring) -> Type:
    assert node.node is not None
    with state.expecting_absence(is_so=node.name == "default"):
        of = _side(node.node, state)
    return filter_type(node.name, of, _arguments(node, state), state)


def _test(node: nodes.Test, state: Inferring) -> Type:
    with state.expecting_absence(is_so=node.name in ABSENCE):
        of = _side(node.node, state)
    check_test_types(node.name, of, _arguments(node, state), state)
    check_possible(node.name, of, state)
    return A_BOOLEAN


_INFERRERS: dict[type[nodes.Node], Callable[..., Type]] = {
    nodes.Name: _name,
    nodes.Const: _constant,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.List: _items,
    nodes.Tuple: _items,
    nodes.Dict: _record,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
    nodes.CondExpr: _condition,
    nodes.And: _both,
    nodes.Or: _both,
    nodes.Not: _not,
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.Add: _sum,
    nodes.Sub: _calculation,
    nodes.Mul: _calculation,
    nodes.Div: _calculation,
    nodes.FloorDiv: _calculation,
    nodes.Mod: _calculation,
    nodes.Neg: _signed,
    nodes.Pos: _signed,
}
