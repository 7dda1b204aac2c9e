"""An expression written out again from its tree, for messages: blanks and quotes may differ from the file's."""

import json
import math
from collections.abc import Callable
from typing import TypeAlias, cast

from jinja2 import nodes

from runner.expressions.operators import COMPARISONS
from runner.foundation.values import Path, compact, well_formed

_LOOSE, _OR, _AND, _NOT, _COMPARE, _ADD, _CONCAT, _MULTIPLY, _UNARY, _FILTER, _TIGHT = range(11)

_Written: TypeAlias = tuple[str, int]
"""A source and how tightly it holds together."""


def written(node: nodes.Node) -> str:
    """The source of `node`."""
    return _written(node)[0]


def keywords(node: nodes.Filter | nodes.Test | nodes.Call) -> list[nodes.Keyword]:
    """The arguments of `node` that have a name; Jinja's annotations call them pairs, its parser makes keywords."""
    return cast("list[nodes.Keyword]", node.kwargs)


def written_key(node: nodes.Expr) -> str | int | None:
    """The key or number in `[ ]`, or None where it is computed."""
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and type(node.node.value) is int:
        return -node.node.value
    if isinstance(node, nodes.Const) and isinstance(node.value, (str, int)) and not isinstance(node.value, bool):
        return node.value
    return None


def written_path(node: nodes.Node) -> Path | None:
    """The name and keys that `node` is nothing but, or None where a key is computed or no name is at the root."""
    keys: list[str | int] = []
    while not isinstance(node, nodes.Name):
        if not isinstance(node, (nodes.Getattr, nodes.Getitem)):
            return None
        key = node.attr if isinstance(node, nodes.Getattr) else written_key(node.arg)
        if key is None:
            return None
        keys.append(key)
        node = node.node
    return (node.name, *reversed(keys))


def dotted(path: Path) -> str:
    """A path as it is written in an expression: `steps.read.outputs["a b"][0]`."""
    return str(path[0]) + "".join(map(_subscript, path[1:]))


def _subscript(key: str | int) -> str:
    plain = isinstance(key, str) and key.isidentifier() and not key.startswith("__")
    return f".{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"


def _written(node: nodes.Node) -> _Written:
    return _WRITERS.get(type(node), _unknown)(node)


def _within(node: nodes.Node, strength: int) -> str:
    text, own = _written(node)
    return text if own >= strength else f"({text})"


def _unknown(_node: nodes.Node) -> _Written:
    return "…", _TIGHT


def _name(node: nodes.Name) -> _Written:
    return node.name, _TIGHT


def _constant(node: nodes.Const) -> _Written:
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        return "1e999", _TIGHT  # what is beyond all numbers was read as this, and is reported at its place
    return ("none" if value is None else compact(well_formed(value) if isinstance(value, str) else value)), _TIGHT


def _attribute(node: nodes.Getattr) -> _Written:
    return f"{_within(node.node, _TIGHT)}.{node.attr}", _TIGHT


def _item(node: nodes.Getitem) -> _Written:
    path = written_path(node)
    return f"{_within(node.node, _TIGHT)}[{written(node.arg)}]" if path is None else dotted(path), _TIGHT


def _slice(node: nodes.Slice) -> _Written:
    start, stop = (written(part) if part is not None else "" for part in (node.start, node.stop))
    return f"{start}:{stop}" + (f":{written(node.step)}" if node.step is not None else ""), _LOOSE


def _list(node: nodes.List | nodes.Tuple) -> _Written:
    return f"[{', '.join(map(written, node.items))}]", _TIGHT


def _record(node: nodes.Dict) -> _Written:
    return f"{{{', '.join(f'{written(pair.key)}: {written(pair.value)}' for pair in node.items)}}}", _TIGHT


def _arguments(node: nodes.Filter | nodes.Test | nodes.Call) -> str:
    named = (f"{pair.key}={written(pair.value)}" for pair in keywords(node))
    return ", ".join([*map(written, node.args), *named])


def _filter(node: nodes.Filter) -> _Written:
    left = _within(node.node, _FILTER) if node.node is not None else "…"
    arguments = _arguments(node)
    return f"{left} | {node.name}" + (f"({arguments})" if arguments else ""), _FILTER


def _test(node: nodes.Test, sign: str = "is") -> _Written:
    """It holds together loosely: Jinja takes most words after a test for its argument."""
    arguments = _arguments(node)
    return f"{_within(node.node, _FILTER)} {sign} {node.name}" + (f"({arguments})" if arguments else ""), _NOT


def _not(node: nodes.Not) -> _Written:
    if isinstance(node.node, nodes.Test):
        return _test(node.node, "is not")
    return f"not {_within(node.node, _NOT)}", _NOT


def _call(node: nodes.Call) -> _Written:
    return f"{_within(node.node, _TIGHT)}({_arguments(node)})", _TIGHT


def _compare(node: nodes.Compare) -> _Written:
    right = "".join(f" {COMPARISONS[each.op].sign} {_within(each.expr, _ADD)}" for each in node.ops)
    return _within(node.expr, _ADD) + right, _COMPARE


def _concat(node: nodes.Concat) -> _Written:
    return " ~ ".join(_within(part, _MULTIPLY) for part in node.nodes), _CONCAT


def _condition(node: nodes.CondExpr) -> _Written:
    otherwise = f" else {written(node.expr2)}" if node.expr2 is not None else ""
    return f"{_within(node.expr1, _COMPARE)} if {_within(node.test, _OR)}{otherwise}", _LOOSE


def _prefix(sign: str) -> Callable[[nodes.UnaryExpr], _Written]:
    return lambda node: (f"{sign}{_within(node.node, _TIGHT)}", _UNARY)


def _infix(sign: str, strength: int) -> Callable[[nodes.BinExpr], _Written]:
    return lambda node: (f"{_within(node.left, strength)} {sign} {_within(node.right, strength + 1)}", strength)


_WRITERS: dict[type[nodes.Node], Callable[..., _Written]] = {
    nodes.Name: _name,
    nodes.Const: _constant,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.Slice: _slice,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _record,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
    nodes.Compare: _compare,
    nodes.Concat: _concat,
    nodes.CondExpr: _condition,
    nodes.Not: _not,
    nodes.Neg: _prefix("-"),
    nodes.Pos: _prefix("+"),
    nodes.Or: _infix("or", _OR),
    nodes.And: _infix("and", _AND),
    nodes.Add: _infix("+", _ADD),
    nodes.Sub: _infix("-", _ADD),
    nodes.Mul: _infix("*", _MULTIPLY),
    nodes.Div: _infix("/", _MULTIPLY),
    nodes.FloorDiv: _infix("//", _MULTIPLY),
    nodes.Mod: _infix("%", _MULTIPLY),
    nodes.Pow: _infix("**", _MULTIPLY),
}
