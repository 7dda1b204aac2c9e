"""The type of an expression, by walking its tree. What no value of the types could do is a finding."""

from collections.abc import Callable, Mapping

from jinja2 import nodes
from msgspec.structs import replace

from runner.expressions import typed
from runner.expressions.comparisons import compare_types
from runner.expressions.filters.record import Arguments
from runner.expressions.filters.table import filter_type
from runner.expressions.filters.tests import ABSENCE, TESTS, check_possible, check_test_types
from runner.expressions.parse import Expression, Template
from runner.expressions.source import keywords, source_text, written_key
from runner.expressions.type_check import TypeCheck, TypedPart, item_type, member_type, needs_number, sides
from runner.expressions.typed import A_BOOLEAN, A_NUMBER, LIST, NULL, NUMBER, PLAIN_TEXT, RECORD, TEXT, UNKNOWN, Type
from runner.foundation.problems import Finding
from runner.foundation.values import ValuePath

_DAY = 10  # characters, as in `2026-12-31`


def expression_type(parsed: Expression, names: Mapping[str, Type]) -> tuple[Type, list[Finding]]:
    """The type of an expression, and what goes wrong in it for sure."""
    check = TypeCheck(names=names)
    if parsed.path is not None:
        check.line = parsed.names[0].line
        return _path(parsed.path, check), check.findings
    assert parsed.tree is not None
    return _infer(parsed.tree, check), check.findings


def node_type(node: nodes.Node, names: Mapping[str, Type]) -> Type:
    """The type of a part of an expression; what goes wrong in it has been reported."""
    return _infer(node, TypeCheck(names=names))


def template_type(parsed: Template, names: Mapping[str, Type]) -> tuple[Type, list[Finding]]:
    """The type of a template: that of its expression where it is nothing else, else a text."""
    found = [expression_type(part, names) for part in parsed.parts if isinstance(part, Expression)]
    findings = [
        replace(finding, line=finding.line + lines)
        for lines, (_, findings) in zip(parsed.lines, found, strict=True)
        for finding in findings
    ]
    if len(parsed.parts) == 1 and found:
        return found[0][0], findings
    around = max((part for part in parsed.parts if isinstance(part, str)), key=len, default=None)
    plain = not any("'" in part for part in parsed.parts if isinstance(part, str))
    plain = plain and not any(typed.may_hold_quote(given) for given, _ in found)
    return Type(kinds=TEXT, holds=around, plain=plain), findings


def has_guard(node: nodes.Node) -> bool:
    return any(TESTS[test.name].kind for test in _tests_in(node))


def _asked(node: nodes.Node) -> tuple[str, ...]:
    """The values that a test in it asks for."""
    return tuple(source_text(test.node) for test in _tests_in(node) if test.name in ABSENCE)


def _tests_in(node: nodes.Node) -> list[nodes.Test]:
    return [node] if isinstance(node, nodes.Test) else list(node.find_all(nodes.Test))


def _infer(node: nodes.Node, check: TypeCheck) -> Type:
    check.line = node.lineno - 1
    return _INFERRERS[type(node)](node, check)


def _part(node: nodes.Node, check: TypeCheck) -> TypedPart:
    return TypedPart(type=_infer(node, check), node=node)


def _path(path: ValuePath, check: TypeCheck) -> Type:
    """The type of a plain path, which has no tree."""
    found = check.names.get(str(path[0]), UNKNOWN)
    for depth, key in enumerate(path[1:], 1):
        if found is UNKNOWN:
            break
        part = TypedPart(path=path[:depth], type=found)
        found = member_type(part, key, check) if isinstance(key, str) else item_type(part, check)
    return found


def _attribute(node: nodes.Getattr, check: TypeCheck) -> Type:
    part = _part(node.node, check)
    return UNKNOWN if part.type is UNKNOWN else member_type(part, node.attr, check)


def _item(node: nodes.Getitem, check: TypeCheck) -> Type:
    part = _part(node.node, check)
    if isinstance(node.arg, nodes.Slice):
        if not check.require(LIST | TEXT, part, "`[:]` cuts a list or a text"):
            return UNKNOWN
        cut = typed.another_text(part.type)
        return replace(cut, form="date") if _is_its_day(part, node.arg) else cut
    match written_key(node.arg):
        case str() as key:
            return member_type(part, key, check)
        case int():
            return item_type(part, check)
    _infer(node.arg, check)
    return UNKNOWN


def _is_its_day(part: TypedPart, cut: nodes.Slice) -> bool:
    """`run.started_at[:10]`."""
    is_day = cut.start is None and cut.step is None and isinstance(cut.stop, nodes.Const) and cut.stop.value == _DAY
    return part.type.form == "datetime" and is_day


def _items(node: nodes.List | nodes.Tuple, check: TypeCheck) -> Type:
    return Type(kinds=LIST, item=typed.any_of([_infer(item, check) for item in node.items]))


def _record(node: nodes.Dict, check: TypeCheck) -> Type:
    fields = {written_key(pair.key): _infer(pair.value, check) for pair in node.items}
    known = {key: value for key, value in fields.items() if isinstance(key, str)}
    is_closed = len(known) == len(fields)
    return Type(kinds=RECORD, fields=known if is_closed else None, closed=is_closed)


def _call(node: nodes.Call, check: TypeCheck) -> Type:
    for argument in node.args:
        _infer(argument, check)
    return PLAIN_TEXT if isinstance(node.node, nodes.Name) and node.node.name == "uuid" else A_BOOLEAN


def _condition(node: nodes.CondExpr, check: TypeCheck) -> Type:
    with check.within(may_fail=True):
        _infer(node.test, check)
    with check.within(guard=has_guard(node.test), asked=_asked(node.test)):
        first = _infer(node.expr1, check)
        return first if node.expr2 is None else typed.either(first, _infer(node.expr2, check))


def _both(node: nodes.And | nodes.Or, check: TypeCheck) -> Type:
    with check.within(may_fail=isinstance(node, nodes.Or)):
        left = _infer(node.left, check)
        if isinstance(node.left, nodes.Const) and not isinstance(node.left.value, bool):
            message = f"`{source_text(node.left)}` decides alone what `{source_text(node)}` gives"
            listed = f"[{source_text(node.left)}, {source_text(node.right)}]"
            check.report("E175", message, hint=f"compare with all of them: `in {listed}`, or `not in {listed}`")
        _check_one_of_two(node, check)
        with check.within(guard=has_guard(node.left), asked=_asked(node.left)):
            return typed.either(left, _infer(node.right, check))


def _check_one_of_two(node: nodes.And | nodes.Or, check: TypeCheck) -> None:
    """Warn of `x != 1 or x != 2`, which is always true, and of `x == 1 and x == 2`, which never is."""
    sign, always, instead = ("ne", "true", "and") if isinstance(node, nodes.Or) else ("eq", "false", "or")
    match node.left, node.right:
        case (
            nodes.Compare(expr=value, ops=[nodes.Operand(op=first_sign, expr=nodes.Const(value=first))]),
            nodes.Compare(expr=other, ops=[nodes.Operand(op=second_sign, expr=nodes.Const(value=second))]),
        ) if first_sign == second_sign == sign and first != second and source_text(value) == source_text(other):
            message = f"`{source_text(node)}` is always {always}: `{source_text(value)}` has one value"
            check.report("E177", message, hint=f"write `{instead}`", warning=True)


def _not(node: nodes.Not, check: TypeCheck) -> Type:
    with check.within(may_fail=True):
        _infer(node.node, check)
    return A_BOOLEAN


def _sum(node: nodes.Add, check: TypeCheck) -> Type:
    left, right = _part(node.left, check), _part(node.right, check)
    both = left.type.kinds & right.type.kinds & (NUMBER | TEXT | LIST)
    if both:
        items = typed.either(left.type.any_item, right.type.any_item) if both & LIST else None
        return Type(kinds=both, item=items, plain=typed.text_of([left.type, right.type]).plain)
    if NULL in (left.type.kinds, right.type.kinds):
        return UNKNOWN
    message = f"`+` adds two numbers, two texts or two lists, and {sides(left, right)}"
    hint = "`~` puts any values into a text" if (left.type.kinds | right.type.kinds) & TEXT else None
    return check.report("E174", message, hint=hint)


def _calculation(node: nodes.BinExpr, check: TypeCheck) -> Type:
    for part in (node.left, node.right):
        needs_number(_part(part, check), f"`{node.operator}` takes two numbers", check)
    return A_NUMBER


def _signed(node: nodes.Neg | nodes.Pos, check: TypeCheck) -> Type:
    needs_number(_part(node.node, check), f"`{node.operator}` takes a number", check)
    return A_NUMBER


def _compare(node: nodes.Compare, check: TypeCheck) -> Type:
    left = _part(node.expr, check)
    for operand in node.ops:
        right = _part(operand.expr, check)
        compare_types(left, operand.op, right, check)
        left = right
    return A_BOOLEAN


def _arguments(node: nodes.Filter | nodes.Test, check: TypeCheck) -> Arguments:
    return Arguments(
        given=tuple(_part(argument, check) for argument in node.args),
        named={pair.key: _part(pair.value, check) for pair in keywords(node)},
    )


def _filter(node: nodes.Filter, check: TypeCheck) -> Type:
    assert node.node is not None
    with check.within(expects_absence=node.name == "default"):
        part = _part(node.node, check)
    if node.name == "length" and part.type.kinds == RECORD and part.type.closed and part.type.note:
        fields = list(part.type.fields or {})
        message = f"`{part.source}` is a record, whose length is always {len(fields)}: {part.type.note}"
        check.report("E177", message, hint=f"write `{part.source}.{fields[0]} | length`" if fields else None)
    return filter_type(node.name, part, _arguments(node, check), check)


def _test(node: nodes.Test, check: TypeCheck) -> Type:
    with check.within(expects_absence=node.name in ABSENCE):
        part = _part(node.node, check)
    check_test_types(node.name, part, _arguments(node, check), check)
    check_possible(node.name, part, check)
    return A_BOOLEAN


_INFERRERS: dict[type[nodes.Node], Callable[..., Type]] = {
    nodes.Name: lambda node, check: check.names.get(node.name, UNKNOWN),
    nodes.Const: lambda node, _: typed.type_of(node.value),
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
    nodes.Concat: lambda node, check: typed.text_of([_infer(part, check) for part in node.nodes]),
    nodes.Compare: _compare,
    nodes.Add: _sum,
    **dict.fromkeys((nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod), _calculation),
    nodes.Neg: _signed,
    nodes.Pos: _signed,
}
