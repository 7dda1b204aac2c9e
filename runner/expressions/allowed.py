"""The allow-list: every node of a parsed expression is looked at, and what is not known here is refused.

Nothing is worked out. What is found by the way, names and functions that are used, is kept.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from jinja2 import nodes

from runner.expressions import words
from runner.expressions.calls import check_filter, check_function, check_test, refused
from runner.expressions.errors import EvaluationError, TemplateProblem
from runner.expressions.names import Compared, Functions, Name
from runner.expressions.operations import number
from runner.expressions.source import keywords, written, written_key, written_path
from runner.foundation.values import well_formed

DEEPEST = 200
"""Terms that are joined nest as well, one level each. Each level is up to three frames of Python, which has 1,000."""
_WITH_ITSELF = frozenset({"eq", "ne", "gt", "gteq", "lt", "lteq"})
_OPERATORS = frozenset({"and", "or", "if", "else", "in", "is"})
_PYTHON_NAME = re.compile(r"__\w+__")


@dataclass(slots=True)
class Uses:
    """What one expression uses, in the order of its text."""

    available: Functions
    names: list[Name] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    compares_constants: str = ""
    compares_itself: bool = False
    compared: list[Compared] = field(default_factory=list)
    problems: list[TemplateProblem] = field(default_factory=list)

    def check(self) -> None:
        """Raise the first problem, which holds all others."""
        if self.problems:
            first, *others = {(one.message, one.line): one for one in self.problems}.values()
            first.others, first.names = tuple(others), tuple(dict.fromkeys(self.names))
            raise first


def look_at(node: nodes.Node, uses: Uses, depth: int = 0) -> None:
    """Check `node` and all below it; what is wrong goes into `uses`. Raises `TemplateProblem` for one too deep."""
    if depth > DEEPEST:
        raise TooDeepError("E120", f"the expression is nested more than {DEEPEST} deep", line=_line(node))
    try:
        checker = _CHECKERS.get(type(node))
        if checker is None:
            raise refused(node, f"`{written(node)}` is not part of expressions")
        checker(node, uses, depth + 1)
    except TooDeepError:
        raise
    except TemplateProblem as problem:
        uses.problems.append(problem)


class TooDeepError(TemplateProblem):
    """Nothing more can be said of the expression."""


def _line(node: nodes.Node) -> int:
    return node.lineno - 1


def _name(node: nodes.Name, uses: Uses, _depth: int) -> None:
    _known_word(node, uses)
    uses.names.append(Name((node.name,), _line(node)))


def _known_word(node: nodes.Name, uses: Uses) -> None:
    if node.name in uses.available:
        text = '("…")' if uses.available[node.name] else "()"
        hint = f"write `{node.name}{text}`"
        raise TemplateProblem("E126", f"`{node.name}` is a function", hint=hint, name=node.name, line=_line(node))
    if node.name in _OPERATORS:
        message = f"`{node.name}` stands where a value must"
        raise TemplateProblem("E120", message, name=node.name, line=_line(node))
    if node.name in words.NAMES:
        message, hint = f"unknown name `{node.name}`", words.NAMES[node.name]
        raise TemplateProblem("E126", message, hint=hint, name=node.name, line=_line(node))


def _constant(node: nodes.Const, _uses: Uses, _depth: int) -> None:
    value = node.value
    if isinstance(value, str):
        node.value = well_formed(value)
    elif isinstance(value, (int, float)):
        try:
            number(value)
        except EvaluationError as error:
            raise TemplateProblem("E120", error.message, line=_line(node)) from None


def _chain(node: nodes.Getattr | nodes.Getitem, uses: Uses, depth: int) -> None:
    """Keys behind something: `a.b["c"][0]`. Behind a name, they are one name as far as they are written out."""
    links: list[nodes.Getattr | nodes.Getitem] = []
    root: nodes.Node = node
    while isinstance(root, (nodes.Getattr, nodes.Getitem)):
        links.append(root)
        root = root.node
    links.reverse()
    if depth + len(links) > DEEPEST:
        raise TooDeepError("E120", f"the expression is nested more than {DEEPEST} deep", line=_line(node))
    if isinstance(root, nodes.Name):
        _known_word(root, uses)
        uses.names.append(_named(root, links))
    else:
        _may_have_keys(root, links[0])
        look_at(root, uses, depth + len(links))
    for link in links:
        _link(link, uses, depth + len(links))


def _named(root: nodes.Name, links: list[nodes.Getattr | nodes.Getitem]) -> Name:
    path: list[str | int] = [root.name]
    for link in links:
        key = link.attr if isinstance(link, nodes.Getattr) else written_key(link.arg)
        if key is None:
            return Name(tuple(path), _line(root), dynamic=True)
        path.append(key)
    return Name(tuple(path), _line(root))


def _may_have_keys(root: nodes.Node, link: nodes.Node) -> None:
    if isinstance(root, nodes.Const) and (isinstance(link, nodes.Getattr) or not isinstance(root.value, str)):
        attribute = link.attr if isinstance(link, nodes.Getattr) else None
        hint = f"write `{written(root)} | length`" if attribute in {"length", "size"} else None
        raise refused(link, f"`{written(root)}` has no keys", hint, attribute)


def _link(node: nodes.Getattr | nodes.Getitem, uses: Uses, depth: int) -> None:
    if isinstance(node, nodes.Getattr):
        if _PYTHON_NAME.fullmatch(node.attr):
            hint = f'a key of that name is written `["{node.attr}"]`'
            raise refused(node, f"`.{node.attr}`: a dot reaches keys, never anything of Python", hint, node.attr)
    elif isinstance(node.arg, nodes.Slice):
        for part in (node.arg.start, node.arg.stop, node.arg.step):
            if part is not None:
                look_at(part, uses, depth)
    elif isinstance(node.arg, nodes.Tuple):
        raise refused(node, "one key or number stands in `[ ]`, not several", "write `[0][1]`")
    else:
        look_at(node.arg, uses, depth)


def _items(node: nodes.List | nodes.Tuple, uses: Uses, depth: int) -> None:
    for item in node.items:
        look_at(item, uses, depth)


def _record(node: nodes.Dict, uses: Uses, depth: int) -> None:
    for pair in node.items:
        if isinstance(pair.key, nodes.Const) and not isinstance(pair.key.value, str):
            raise refused(pair.key, f"`{written(pair.key)}` is no key", "the keys of a record are texts")
        look_at(pair.key, uses, depth)
        look_at(pair.value, uses, depth)


def _one_side(node: nodes.UnaryExpr, uses: Uses, depth: int) -> None:
    look_at(node.node, uses, depth)


def _both_sides(node: nodes.BinExpr, uses: Uses, depth: int) -> None:
    look_at(node.left, uses, depth)
    look_at(node.right, uses, depth)


def _numbers_only(node: nodes.Mul | nodes.Mod, uses: Uses, depth: int) -> None:
    for side in (node.left, node.right):
        if isinstance(side, (nodes.List, nodes.Tuple, nodes.Dict, nodes.Concat)) or (
            isinstance(side, nodes.Const) and (isinstance(side.value, (str, bool)) or side.value is None)
        ):
            hint = "`~` puts values into a text" if isinstance(node, nodes.Mod) else None
            raise refused(side, f"`{node.operator}` stands between numbers only", hint, node.operator)
    _both_sides(node, uses, depth)


def _power(node: nodes.Pow, _uses: Uses, _depth: int) -> None:
    raise refused(node, "there is no `**` in expressions", "multiply with `*`", "**")


def _concat(node: nodes.Concat, uses: Uses, depth: int) -> None:
    for part in node.nodes:
        look_at(part, uses, depth)


def _compare(node: nodes.Compare, uses: Uses, depth: int) -> None:
    before = len(uses.names), len(uses.functions)
    look_at(node.expr, uses, depth)
    for operand in node.ops:
        look_at(operand.expr, uses, depth)
    if before == (len(uses.names), len(uses.functions)):
        uses.compares_constants = uses.compares_constants or written(node)
    lefts = [node.expr, *(operand.expr for operand in node.ops)]
    if any(operand.op in _WITH_ITSELF and operand.expr == left for left, operand in zip(lefts, node.ops, strict=False)):
        uses.compares_itself = True
    if len(node.ops) == 1:
        uses.compared.extend(_compared(node.expr, node.ops[0]))


def _compared(left: nodes.Expr, operand: nodes.Operand) -> Iterator[Compared]:
    """Texts that a path is compared with, in either order."""
    right = operand.expr
    if operand.op in ("eq", "ne"):
        pairs = [(left, right), (right, left)]
    elif operand.op in ("in", "notin") and isinstance(right, nodes.List):
        pairs = [(left, item) for item in right.items]
    elif operand.op in ("in", "notin"):
        pairs = [(left, right)]
    else:
        return
    for one, other in pairs:
        path = written_path(one)
        if path is not None and isinstance(other, nodes.Const) and isinstance(other.value, str):
            is_within = operand.op in ("in", "notin") and other is right
            yield Compared(path, other.value, _line(other), within=is_within)


def _condition(node: nodes.CondExpr, uses: Uses, depth: int) -> None:
    for part in (node.expr1, node.test, node.expr2):
        if part is not None:
            look_at(part, uses, depth)


def _call(node: nodes.Call, uses: Uses, depth: int) -> None:
    uses.functions.append(check_function(node, uses.available))
    for argument in node.args:
        look_at(argument, uses, depth)


def _filter(node: nodes.Filter, uses: Uses, depth: int) -> None:
    assert node.node is not None, "only a filter block of a template has no value"
    look_at(node.node, uses, depth)
    check_filter(node)
    _arguments(node, uses, depth)


def _test(node: nodes.Test, uses: Uses, depth: int) -> None:
    look_at(node.node, uses, depth)
    check_test(node)
    _arguments(node, uses, depth)


def _arguments(node: nodes.Filter | nodes.Test, uses: Uses, depth: int) -> None:
    for argument in node.args:
        look_at(argument, uses, depth)
    for pair in keywords(node):
        look_at(pair.value, uses, depth)


_CHECKERS: dict[type[nodes.Node], Callable[..., None]] = {
    nodes.Name: _name,
    nodes.Const: _constant,
    nodes.Getattr: _chain,
    nodes.Getitem: _chain,
    nodes.List: _items,
    nodes.Tuple: _items,
    nodes.Dict: _record,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
    nodes.CondExpr: _condition,
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.And: _both_sides,
    nodes.Or: _both_sides,
    nodes.Not: _one_side,
    nodes.Add: _both_sides,
    nodes.Sub: _both_sides,
    nodes.Mul: _numbers_only,
    nodes.Mod: _numbers_only,
    nodes.Div: _both_sides,
    nodes.FloorDiv: _both_sides,
    nodes.Pow: _power,
    nodes.Neg: _one_side,
    nodes.Pos: _one_side,
}
