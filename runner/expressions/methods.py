"""Calls of other languages, and what is written here for them. For messages only: each answer is a hint."""

from collections.abc import Iterator

from jinja2 import nodes

from runner.expressions.shapes import beginning, ending
from runner.expressions.source import written, written_path

_NO_KEYS = frozenset({"pm", "postman", "response", "res", "jsondata", "body"})
"""Names that scripts of other tools give to what they were answered."""
_EXPECTING = {
    **dict.fromkeys(("equal", "equals", "eql", "eq", "tobe", "toequal", "tostrictequal", "be"), "=="),
    **dict.fromkeys(("above", "gt", "greaterthan", "tobegreaterthan"), ">"),
    **dict.fromkeys(("least", "gte", "tobegreaterthanorequal"), ">="),
    **dict.fromkeys(("below", "lt", "lessthan", "tobelessthan"), "<"),
    **dict.fromkeys(("most", "lte", "tobelessthanorequal"), "<="),
}
"""The verbs of chai and jest."""
_HOLDING = frozenset({"include", "contain", "tocontain"})
_COUNTING = frozenset({"length", "lengthof", "tohavelength"})


def instead(callee: nodes.Getattr, node: nodes.Call) -> str | None:
    """What to write for a call of a method, where it takes more than a word to say."""
    method, path = callee.attr.lower().replace("_", ""), written_path(callee.node)
    text = _text(node)
    if path is not None and path[0] == "env" and method == "get" and text is not None and text.isidentifier():
        return f"write `env.{text}`"
    if path is not None and str(path[0]).lower() in _NO_KEYS and method == "json":
        return "write `result` in its place: JSON is read already"
    if method in ("startswith", "endswith") and text is not None:
        make = beginning if method == "startswith" else ending
        return f"write `{make(f'{written(callee.node)} is', text)}`"
    return _expected(callee, method, node)


def _text(node: nodes.Call) -> str | None:
    argument = node.args[0] if node.args else None
    is_text = isinstance(argument, nodes.Const) and isinstance(argument.value, str)
    return argument.value if is_text and isinstance(argument, nodes.Const) else None


def _expected(callee: nodes.Getattr, method: str, node: nodes.Call) -> str | None:
    """`pm.expect(result.Total).to.equal(25)`."""
    chain = [*_chain(callee.node)]
    inner = chain[-1]
    if not _is_expect(inner) or not isinstance(inner, nodes.Call) or not inner.args or not node.args:
        return None
    left, right = written(inner.args[0]), written(node.args[0])
    denied = any(isinstance(link, nodes.Getattr) and link.attr == "not" for link in chain)
    if method in _HOLDING:
        here = f"{right} {'not in' if denied else 'in'} {left}"
    elif method in _COUNTING:
        here = f"{left} | length {'!=' if denied else '=='} {right}"
    elif method in _EXPECTING:
        sign = _EXPECTING[method]
        here = (
            f"{left} {'!=' if denied else sign} {right}" if sign == "==" or not denied else f"not {left} {sign} {right}"
        )
    else:
        return None
    return f"write `{here}`"


def _chain(node: nodes.Node) -> Iterator[nodes.Node]:
    """`node` and what its keys are keys of, ending with what is none."""
    yield node
    while isinstance(node, nodes.Getattr):
        node = node.node
        yield node


def _is_expect(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Call):
        return False
    name = node.node.attr if isinstance(node.node, nodes.Getattr) else getattr(node.node, "name", "")
    return name == "expect"
