"""The allow-list: every node of a parsed expression is checked, the unknown is refused, and names are collected."""

from collections.abc import Iterable

from jinja2 import nodes
from msgspec import Struct, field

from runner.expressions.calls import check_filter, check_function, check_test, refused, unreadable
from runner.expressions.errors import EvaluationError, TemplateProblem
from runner.expressions.names import FOREIGN_NAMES, Functions, Name
from runner.expressions.operations import number
from runner.expressions.source import keywords, source_text, written_key
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import well_formed

DEEPEST = 200
"""Terms that are joined nest as well, each by a level. Each level is up to three frames of Python, which has 1,000."""
_OPERATORS = frozenset({"and", "or", "if", "else", "in", "is"})
_PYTHON_NAME = lazy_pattern(r"__\w+__")


class Uses(Struct):
    available: Functions
    names: list[Name] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    constants: str = ""
    compares_itself: bool = False
    problems: list[TemplateProblem] = field(default_factory=list)

    def check(self) -> None:
        """Raise the first problem, which holds all others."""
        if self.problems:
            first, *others = {(str(problem), problem.finding.line): problem for problem in self.problems}.values()
            first.others, first.names = tuple(others), tuple(dict.fromkeys(self.names))
            raise first


def check_depth(tree: nodes.Node) -> None:
    """Raise `TemplateProblem` where a tree is too deep for those who walk it."""
    level, depth = [tree], 0
    while level and depth < DEEPEST:
        level, depth = [child for node in level for child in node.iter_child_nodes()], depth + 1
    if level:
        raise TemplateProblem("E120", f"the expression is nested more than {DEEPEST} deep", line=_line(level[0]))


def check_node(node: nodes.Node, uses: Uses) -> None:
    """Check `node` and all below it; what is wrong goes into `uses`."""
    try:
        _check(node, uses)
    except TemplateProblem as problem:
        uses.problems.append(problem)


def _check(node: nodes.Node, uses: Uses) -> None:
    """What is not listed here is refused."""
    match node:
        case nodes.Name():
            _check_word(node, uses)
            uses.names.append(Name((node.name,), _line(node)))
        case nodes.Const():
            _check_constant(node)
        case nodes.Getattr() | nodes.Getitem():
            _check_chain(node, uses)
        case nodes.Dict():
            _check_record(node, uses)
        case nodes.Filter() | nodes.Test():
            _check_filter_or_test(node, uses)
        case nodes.Not(node=nodes.Test() as test):
            _check_filter_or_test(test, uses, denied=True)
        case nodes.Call():
            uses.functions.append(check_function(node, uses.available))
            _check_parts(node.args, uses)
        case nodes.Compare():
            _check_comparison(node, uses)
        case nodes.CondExpr():  # in the order of the text
            _check_parts([part for part in (node.expr1, node.test, node.expr2) if part is not None], uses)
        case nodes.Pow():
            raise refused(node, "there is no `**` in expressions", "multiply with `*`", "**")
        case nodes.BinExpr() | nodes.UnaryExpr() | nodes.List() | nodes.Tuple() | nodes.Concat():
            if isinstance(node, (nodes.Mul, nodes.Mod)):
                _check_numbers(node)
            _check_parts(node.iter_child_nodes(), uses)
        case _:
            raise refused(node, f"`{source_text(node)}` is not part of expressions")


def _check_parts(parts: Iterable[nodes.Node], uses: Uses) -> None:
    for part in parts:
        check_node(part, uses)


def _line(node: nodes.Node) -> int:
    return node.lineno - 1


def _check_word(node: nodes.Name, uses: Uses) -> None:
    name = node.name
    if name in uses.available:
        hint = f"write `{name}" + ('("…")`' if uses.available[name] else "()`")
        raise TemplateProblem("E126", f"`{name}` is a function", hint=hint, name=name, line=_line(node))
    if name in _OPERATORS:
        raise unreadable(node, f"a value is missing before or after `{name}`", name)
    if name in FOREIGN_NAMES:
        hint = f"write `{FOREIGN_NAMES[name]}`"
        raise TemplateProblem("E126", f"unknown name `{name}`", hint=hint, name=name, line=_line(node))


def _check_constant(node: nodes.Const) -> None:
    value = node.value
    if isinstance(value, str):
        node.value = well_formed(value)
    elif isinstance(value, (int, float)):
        try:
            number(value)
        except EvaluationError as error:
            raise unreadable(node, error.message) from None


def _check_chain(node: nodes.Getattr | nodes.Getitem, uses: Uses) -> None:
    """Keys after something: `a.b["c"][0]`. After a name they belong to it, as far as they are written out."""
    links: list[nodes.Getattr | nodes.Getitem] = []
    root: nodes.Node = node
    while isinstance(root, (nodes.Getattr, nodes.Getitem)):
        links.append(root)
        root = root.node
    links.reverse()
    if isinstance(root, nodes.Name):
        _check_word(root, uses)
        uses.names.append(_long_name(root, links))
    else:
        _check_has_keys(root, links[0])
        check_node(root, uses)
    for link in links:
        _check_link(link, uses)


def _long_name(root: nodes.Name, links: list[nodes.Getattr | nodes.Getitem]) -> Name:
    path: list[str | int] = [root.name]
    for link in links:
        key = link.attr if isinstance(link, nodes.Getattr) else written_key(link.arg)
        if key is None:
            return Name(tuple(path), _line(root), dynamic=True)
        path.append(key)
    return Name(tuple(path), _line(root))


def _check_has_keys(root: nodes.Node, link: nodes.Node) -> None:
    if isinstance(root, nodes.Const) and (isinstance(link, nodes.Getattr) or not isinstance(root.value, str)):
        attribute = link.attr if isinstance(link, nodes.Getattr) else None
        hint = f"write `{source_text(root)} | length`" if attribute in {"length", "size"} else None
        raise refused(link, f"`{source_text(root)}` has no keys", hint, attribute)


def _check_link(node: nodes.Getattr | nodes.Getitem, uses: Uses) -> None:
    if isinstance(node, nodes.Getattr):
        if _PYTHON_NAME.fullmatch(node.attr):
            hint = f'write `["{node.attr}"]` for a key of that name'
            raise refused(node, f"`.{node.attr}`: a dot reaches keys, never anything of Python", hint, node.attr)
    elif isinstance(node.arg, nodes.Slice):
        _check_parts(node.arg.iter_child_nodes(), uses)
    elif isinstance(node.arg, nodes.Tuple):
        if not node.arg.items:  # of jq
            raise refused(node, "`[ ]` takes a key or a number", 'write `| map(attribute="KEY")` for all items')
        raise refused(node, "`[ ]` takes one key or number, not several", "write `[0][1]`")
    else:
        check_node(node.arg, uses)


def _check_record(node: nodes.Dict, uses: Uses) -> None:
    for pair in node.items:
        if isinstance(pair.key, nodes.Const) and not isinstance(pair.key.value, str):
            raise refused(pair.key, f"`{source_text(pair.key)}` is no key", "the keys of a record are texts")
        check_node(pair.key, uses)
        check_node(pair.value, uses)


def _check_numbers(node: nodes.Mul | nodes.Mod) -> None:
    for side in (node.left, node.right):
        if isinstance(side, (nodes.List, nodes.Tuple, nodes.Dict, nodes.Concat)) or (
            isinstance(side, nodes.Const) and (isinstance(side.value, (str, bool)) or side.value is None)
        ):
            hint = "put values into a text with `~`" if isinstance(node, nodes.Mod) else None
            raise refused(side, f"`{node.operator}` takes numbers only", hint, node.operator)


def _check_comparison(node: nodes.Compare, uses: Uses) -> None:
    before = len(uses.names), len(uses.functions)
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    _check_parts(sides, uses)
    if before == (len(uses.names), len(uses.functions)):
        uses.constants = uses.constants or source_text(node)
    if any(operand.op not in ("in", "notin") and operand.expr == sides[at] for at, operand in enumerate(node.ops)):
        uses.compares_itself = True


def _check_filter_or_test(node: nodes.Filter | nodes.Test, uses: Uses, *, denied: bool = False) -> None:
    assert node.node is not None, "only a filter block of a template has no value"
    check_node(node.node, uses)
    if isinstance(node, nodes.Filter):
        check_filter(node)
    else:
        check_test(node, denied=denied)
    _check_parts([*node.args, *(pair.value for pair in keywords(node))], uses)
