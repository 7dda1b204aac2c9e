"""An expression written out again from its tree, for messages: blanks and quotes may differ from the file's."""

import json
import math
from collections.abc import Mapping
from typing import cast

from jinja2 import nodes

from runner.expressions.operators import COMPARISONS
from runner.foundation.values import Json, ValuePath, compact, well_formed

_LOOSE, _OR, _AND, _NOT, _COMPARE, _ADD, _CONCAT, _MULTIPLY, _UNARY, _FILTER, _TIGHT = range(11)
_INFIX: Mapping[type[nodes.BinExpr], tuple[str, int]] = {
    nodes.Or: ("or", _OR),
    nodes.And: ("and", _AND),
    nodes.Add: ("+", _ADD),
    nodes.Sub: ("-", _ADD),
    nodes.Mul: ("*", _MULTIPLY),
    nodes.Div: ("/", _MULTIPLY),
    nodes.FloorDiv: ("//", _MULTIPLY),
    nodes.Mod: ("%", _MULTIPLY),
    nodes.Pow: ("**", _MULTIPLY),
}


def source_text(node: nodes.Node) -> str:
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


def written_path(node: nodes.Node) -> ValuePath | None:
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


def dotted(path: ValuePath) -> str:
    """A path as it is written in an expression: `steps.read.outputs["a b"][0]`."""
    return str(path[0]) + "".join(map(_subscript, path[1:]))


def _subscript(key: str | int) -> str:
    plain = isinstance(key, str) and key.isidentifier() and not key.startswith("__")
    return f".{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"


def _within(node: nodes.Node, strength: int) -> str:
    text, own = _written(node)
    return text if own >= strength else f"({text})"


def _written(node: nodes.Node) -> tuple[str, int]:
    """The source, and how tightly it holds together."""
    match node:
        case nodes.BinExpr():
            sign, strength = _INFIX[type(node)]
            return f"{_within(node.left, strength)} {sign} {_within(node.right, strength + 1)}", strength
        case nodes.Not(node=nodes.Test() as test):
            return _test(test, "is not"), _NOT
        case nodes.Not():
            return f"not {_within(node.node, _NOT)}", _NOT
        case nodes.Test():
            return _test(node, "is"), _NOT
        case nodes.Compare():
            right = "".join(f" {COMPARISONS[each.op].sign} {_within(each.expr, _ADD)}" for each in node.ops)
            return _within(node.expr, _ADD) + right, _COMPARE
        case nodes.Concat():
            return " ~ ".join(_within(part, _MULTIPLY) for part in node.nodes), _CONCAT
        case nodes.Neg() | nodes.Pos():
            return f"{node.operator}{_within(node.node, _TIGHT)}", _UNARY
        case nodes.Filter():
            left = _within(node.node, _FILTER) if node.node is not None else "…"
            return f"{left} | {node.name}{_arguments(node)}", _FILTER
        case nodes.CondExpr():
            otherwise = f" else {source_text(node.expr2)}" if node.expr2 is not None else ""
            return f"{_within(node.expr1, _COMPARE)} if {_within(node.test, _OR)}{otherwise}", _LOOSE
        case _:
            return _written_tight(node), _TIGHT


def _written_tight(node: nodes.Node) -> str:
    """The source of a node, in brackets if needed; `…` for what is no expression."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Const():
            return _constant(node.value)
        case nodes.Getattr():
            return f"{_within(node.node, _TIGHT)}.{node.attr}"
        case nodes.Getitem():
            path = written_path(node)
            return f"{_within(node.node, _TIGHT)}[{source_text(node.arg)}]" if path is None else dotted(path)
        case nodes.Slice():
            start, stop = (source_text(part) if part is not None else "" for part in (node.start, node.stop))
            return f"{start}:{stop}" + (f":{source_text(node.step)}" if node.step is not None else "")
        case nodes.List() | nodes.Tuple():
            return f"[{', '.join(map(source_text, node.items))}]"
        case nodes.Dict():
            return f"{{{', '.join(f'{source_text(pair.key)}: {source_text(pair.value)}' for pair in node.items)}}}"
        case nodes.Call():
            return f"{_within(node.node, _TIGHT)}{_arguments(node) or '()'}"
        case _:
            return "…"


def _constant(value: object) -> str:
    match value:
        case None:
            return "none"
        case float() if not math.isfinite(value):
            return "1e999"  # what is beyond all numbers was read as this, and is reported at its place
        case str():
            return compact(well_formed(value))
        case _:
            return compact(cast("Json", value))


def _arguments(node: nodes.Filter | nodes.Test | nodes.Call) -> str:
    """In brackets; nothing where there are none."""
    arguments = [*map(source_text, node.args), *(f"{pair.key}={source_text(pair.value)}" for pair in keywords(node))]
    return f"({', '.join(arguments)})" if arguments else ""


def _test(node: nodes.Test, sign: str) -> str:
    """It holds together loosely: Jinja takes most words after a test for its argument."""
    return f"{_within(node.node, _FILTER)} {sign} {node.name}{_arguments(node)}"
