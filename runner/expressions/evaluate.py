"""Evaluates expressions and templates in a scope, by walking their checked trees: the interface of this room.

No code is generated, and no attribute of a Python object is read: a dot is a key. Nothing is random or reads a clock,
so that a resumed run computes the same.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from jinja2 import nodes
from msgspec import Struct, field

from runner.expressions.errors import EvaluationError
from runner.expressions.filters.table import apply_filter
from runner.expressions.filters.tests import apply_test
from runner.expressions.operations import (
    LARGEST_TEXT,
    Absent,
    Room,
    Value,
    Work,
    as_text,
    bounded,
    effort,
    is_boolean_in_words,
    joined,
    member,
    number,
    present,
    small,
)
from runner.expressions.operators import ARITHMETIC, COMPARISONS, number_for
from runner.expressions.parse import Expression, Template, template
from runner.expressions.source import dotted, keywords, source_text, written_path
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, ValuePath, kind_of

__all__ = ["EvaluationError", "Room", "Scope", "boolean", "evaluate", "render", "render_value"]


class Scope(Struct, frozen=True, kw_only=True):
    """What expressions see. `missing` says, of a known path without a value, why: a whole sentence."""

    names: Mapping[str, Json]
    functions: Mapping[str, Callable[..., Json]] = field(default_factory=dict)
    missing: Mapping[ValuePath, str] = field(default_factory=dict)


def part_of(scope: Scope, path: ValuePath) -> Value:
    """The value at a plain path, as `steps.a.result[0]`; an `Absent` with its reason where there is none."""
    value: Json = None
    for depth, key in enumerate(path):
        if depth == 0:
            if key not in scope.names:
                return unknown(str(key), scope)
            value = scope.names[str(key)]
        elif isinstance(value, dict) and key in value:
            value = value[str(key)]
        elif type(value) is list and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            found = member(value, key, parent=dotted(path[:depth]), where=dotted(path[: depth + 1]))
            if isinstance(found, Absent):
                return explained(found, path[: depth + 1], scope)
            value = found
    return value if value is not None else _null(path, scope)


def unknown(name: str, scope: Scope) -> Absent:
    """The absence of a name that the scope does not have."""
    near = suggest(name, scope.names)
    return Absent(name, sentence=f"there is no `{name}` here" + (f"; `{near}` is near" if near else ""))


def explained(absent: Absent, path: ValuePath, scope: Scope) -> Absent:
    """`absent`, with the scope's own sentence where it knows why there is nothing at `path`."""
    sentence = scope.missing.get(path)
    return absent if sentence is None else Absent(absent.where, sentence=sentence)


def _null(path: ValuePath, scope: Scope) -> Value:
    """The null at `path`; its absence where it only fills a gap in a list, as that of a turn without a result."""
    return Absent(dotted(path), sentence=scope.missing[path]) if path in scope.missing else None


def evaluate(expression: Expression, scope: Scope) -> Json:
    """The value of `expression`, at most 1 MiB of JSON. Raises `EvaluationError`."""
    value = present(_value(expression, scope))
    if isinstance(value, str):
        return bounded(value)
    return small(value) if isinstance(value, (list, dict)) else value


def boolean(expression: Expression, scope: Scope) -> bool:
    """The value of a condition. Raises `EvaluationError`, also where it is no boolean."""
    value = present(_value(expression, scope))
    if isinstance(value, bool):
        return value
    if is_boolean_in_words(value):
        hint = f'compare the text: `{expression.text} == "{value}"`'
    else:
        hint = "compare it with something, as in `… == …` or `… | length > 0`"
    raise EvaluationError(f"`{expression.text}` gives {kind_of(value)}, not a boolean", hint=hint)


def render(parsed: Template, scope: Scope) -> Json:
    """The value of `parsed`: that of its expression where it is nothing else, else a text. Raises `EvaluationError`."""
    parts = parsed.parts
    if len(parts) == 1:
        only = parts[0]
        return only if isinstance(only, str) else evaluate(only, scope)
    return joined(part if isinstance(part, str) else _in_text(part, scope) for part in parts)


def render_value(value: Json, scope: Scope) -> Json:
    """`value` with every text inside it rendered; keys are none. Raises `EvaluationError`."""
    if isinstance(value, str):
        return render(template(value), scope) if "{{" in value else value
    made = _rendered(value, scope, Room("the parts of this value", most=LARGEST_TEXT))
    return small(made) if isinstance(made, (list, dict)) and made is not value else made


def _value(expression: Expression, scope: Scope) -> Value:
    if expression.path is not None:
        return part_of(scope, expression.path)
    assert expression.tree is not None
    return walk(expression.tree, scope)


def _in_text(part: Expression, scope: Scope) -> str:
    value = evaluate(part, scope)
    if value is None:
        hint = f'write `{{{{ {part.text} | default("") }}}}` for nothing in its place'
        raise EvaluationError(f"`{part.text}` is null, which cannot be a part of a text", hint=hint)
    return as_text(value)


def _rendered(value: Json, scope: Scope, room: Room) -> Json:
    """The same object where there is nothing to render."""
    match value:
        case str() if "{{" in value:
            text = render(template(value), scope)
            room.take(text)
            return text
        case list():
            made = [_rendered(item, scope, room) for item in value]
            return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
        case dict():
            record = {key: _rendered(item, scope, room) for key, item in value.items()}
            return record if any(record[key] is not value[key] for key in record) else value
        case _:
            return value


V = TypeVar("V", bound=Value)


class _Frame(Struct):
    scope: Scope
    work: Work


def walk(tree: nodes.Expr, scope: Scope) -> Value:
    """The value of `tree`, or its absence. Raises `EvaluationError`."""
    try:
        return _walk(tree, _Frame(scope, Work()))
    except RecursionError:
        raise EvaluationError("a value is nested too deep") from None


def _walk(node: nodes.Node, frame: _Frame) -> Value:
    return _WALKERS[type(node)](node, frame)


def _given(node: nodes.Node, frame: _Frame) -> Json:
    value = _WALKERS[type(node)](node, frame)
    if isinstance(value, Absent):
        raise value.error()
    return value


def _made(value: V, frame: _Frame) -> V:
    """`value`, which did not exist before, at its cost."""
    frame.work.spend(effort(value))
    return value


def _name(node: nodes.Name, frame: _Frame) -> Value:
    names = frame.scope.names
    if node.name not in names:
        return unknown(node.name, frame.scope)
    value = names[node.name]
    return value if value is not None else _null((node.name,), frame.scope)


def _attribute(node: nodes.Getattr, frame: _Frame) -> Value:
    container = _walk(node.node, frame)
    if isinstance(container, dict) and node.attr in container:
        return container[node.attr]
    return _member(container, node.attr, node, frame)


def _item(node: nodes.Getitem, frame: _Frame) -> Value:
    container = _walk(node.node, frame)
    if isinstance(node.arg, nodes.Slice):
        return _sliced(present(container), node.arg, frame)
    return _member(container, _given(node.arg, frame), node, frame)


def _member(container: Value, key: Json, node: nodes.Getattr | nodes.Getitem, frame: _Frame) -> Value:
    if isinstance(container, (list, str)) and isinstance(key, int):
        found = member(container, key, parent="", where="")
        if not isinstance(found, Absent):
            parent = written_path(node.node) if found is None else None
            return found if parent is None else _null((*parent, key), frame.scope)
    found = member(container, key, parent=source_text(node.node), where=source_text(node))
    if isinstance(found, Absent) and found is not container and (path := written_path(node)) is not None:
        return explained(found, path, frame.scope)
    return found


def _sliced(container: Json, part: nodes.Slice, frame: _Frame) -> Json:
    if not isinstance(container, (list, str)):
        raise EvaluationError(f"`[:]` cuts a list or a text, not {kind_of(container)}")
    start, stop, step = (_bound(bound, frame) for bound in (part.start, part.stop, part.step))
    if step == 0:
        raise EvaluationError("the step of `[::]` must not be 0")
    return _made(container[start:stop:step], frame)


def _bound(node: nodes.Expr | None, frame: _Frame) -> int | None:
    value = None if node is None else _given(node, frame)
    if value is None or type(value) is int:
        return value
    raise EvaluationError(f"`[:]` takes whole numbers, not {kind_of(value)}")


def _items(node: nodes.List | nodes.Tuple, frame: _Frame) -> Value:
    return [_given(item, frame) for item in node.items]


def _record(node: nodes.Dict, frame: _Frame) -> Value:
    made: JsonObject = {}
    for pair in node.items:
        key = _given(pair.key, frame)
        if not isinstance(key, str):
            raise EvaluationError(f"the keys of a record are texts, not {kind_of(key)}")
        made[key] = _given(pair.value, frame)
    return made


def _filter(node: nodes.Filter, frame: _Frame) -> Value:
    assert node.node is not None
    value = _walk(node.node, frame)
    arguments = [_given(argument, frame) for argument in node.args]
    named = {pair.key: _given(pair.value, frame) for pair in keywords(node)}
    return _made(apply_filter(node.name, value, arguments, named, work=frame.work), frame)


def _call(node: nodes.Call, frame: _Frame) -> Value:
    assert isinstance(node.node, nodes.Name)
    name = node.node.name
    arguments = [_given(argument, frame) for argument in node.args]
    for argument in arguments:
        if not isinstance(argument, str):
            raise EvaluationError(f"`{name}()` takes a text, not {kind_of(argument)}")
    if name not in frame.scope.functions:
        raise EvaluationError(f"`{name}()` is not known here")
    return frame.scope.functions[name](*arguments)


def _truth(node: nodes.Node, frame: _Frame, *, other: nodes.Node | None = None) -> Json:
    """What is true where it is not empty, but for the text `false`, which nobody expects to be. `other` replaces it."""
    value = _given(node, frame)
    if is_boolean_in_words(value):
        hint = f'compare the text: `{source_text(node)} == "{value}"`'
        if isinstance(other, nodes.Const) and isinstance(other.value, str):
            hint += f"; in place of an empty text: `{source_text(node)} | default({source_text(other)}, true)`"
        raise EvaluationError(f'`{source_text(node)}` is the text "{value}", not a boolean', hint=hint)
    return value


def _condition(node: nodes.CondExpr, frame: _Frame) -> Value:
    if _truth(node.test, frame):
        return _walk(node.expr1, frame)
    if node.expr2 is None:
        return Absent(source_text(node), sentence=f"`{source_text(node)}` has no `else`")
    return _walk(node.expr2, frame)


def _compare(node: nodes.Compare, frame: _Frame) -> Value:
    left = _given(node.expr, frame)
    for operand in node.ops:
        right = _given(operand.expr, frame)
        if not COMPARISONS[operand.op].holds(left, right):
            return False
        left = right
    return True


def _calculation(node: nodes.BinExpr, frame: _Frame) -> Value:
    return _made(ARITHMETIC[node.operator](_given(node.left, frame), _given(node.right, frame)), frame)


_WALKERS: dict[type[nodes.Node], Callable[..., Value]] = {
    nodes.Name: _name,
    nodes.Const: lambda node, _: node.value,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.List: _items,
    nodes.Tuple: _items,
    nodes.Dict: _record,
    nodes.Filter: _filter,
    nodes.Test: lambda node, frame: apply_test(
        node.name, _walk(node.node, frame), [_given(each, frame) for each in node.args]
    ),
    nodes.Call: _call,
    nodes.CondExpr: _condition,
    nodes.And: lambda node, frame: _truth(node.left, frame) and _given(node.right, frame),
    nodes.Or: lambda node, frame: _truth(node.left, frame, other=node.right) or _given(node.right, frame),
    nodes.Not: lambda node, frame: not _truth(node.node, frame),
    nodes.Concat: lambda node, frame: _made(joined(as_text(_given(part, frame)) for part in node.nodes), frame),
    nodes.Compare: _compare,
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod), _calculation),
    nodes.Neg: lambda node, frame: number(-number_for("-", _given(node.node, frame))),
    nodes.Pos: lambda node, frame: number_for("+", _given(node.node, frame)),
}
