"""The operands of `and`, `or` and `not` where a condition stands: what is neither true nor false there makes it break.

`and` and `or` give one of their operands. So `result == 5 or 10` is 10 where the first is false, which is no boolean.
The left side of `and` may be a list or a text, as in `result and result[0].Paid`: a value that is empty is met with a
failure there, which may be what is meant. `not` gives a boolean, whatever it stands before.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jinja2 import nodes

from runner.expressions.inferring import guards, type_of
from runner.expressions.operators import COMPARISONS
from runner.expressions.parse import Expression, TemplateProblem, expression
from runner.expressions.source import written
from runner.expressions.typed import BOOLEAN, LIST, NUMBER, Type, in_words
from runner.foundation.problems import Finding

_DOES_SOMETHING = re.compile(r"[=!<>]=|[<>|.]|\b(?:is|in|not)\b")
_WORDS: Mapping[type[nodes.Node], str] = {nodes.And: "and", nodes.Or: "or"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operand:
    """`within` is what it is an operand of. `is_passed_on`: it may be what the whole gives; `is_passed_over`: nothing
    comes of it where it is empty, or zero.
    """

    node: nodes.Expr
    within: nodes.And | nodes.Or | nodes.Not
    is_left: bool = False
    is_passed_on: bool = True
    is_passed_over: bool = False
    is_guarded: bool = False


def of_operands(parsed: Expression, names: Mapping[str, Type]) -> Finding | None:
    """The first operand of a condition that can never be a boolean."""
    if parsed.tree is None:
        return None
    for one in _operands(parsed.tree):
        is_constant = not _uses_anything(one.node)
        if is_constant or (one.is_passed_on and not one.is_guarded):
            found = type_of(one.node, names)
            if not found.may_be(BOOLEAN) or (is_constant and not found.kinds & BOOLEAN):
                return _complaint(one, found, parsed.tree)
    return None


def inside_quotes(parsed: Expression) -> str | None:
    """The expression in an expression that is nothing but a text: it has quotes of its own within those of YAML."""
    value = parsed.tree.value if isinstance(parsed.tree, nodes.Const) else None
    if not isinstance(value, str) or not _DOES_SOMETHING.search(value):
        return None
    try:
        inner = expression(value)
    except TemplateProblem:
        return None
    return None if inner.is_constant else inner.text


def comparison(source: str, one: Type, tree: nodes.Node | None = None) -> str:
    """How a condition could be made of an expression that gives something else."""
    if (pattern := _matched(tree)) is not None:
        return f"write `{pattern}`"
    if one.kinds & LIST:
        return f"ask how many there are: `{source} | length > 0`"
    if one.kinds & NUMBER:
        return f"compare it with something, as in `{source} > 0`"
    return f"compare it with something, as in `{source} == …`"


def _matched(tree: nodes.Node | None) -> str | None:
    """`x | regex_search("^N")` and `x ~ "^N"`, where it is asked whether a text fits a pattern."""
    match tree:
        case nodes.Filter(name="regex_search", args=[pattern], node=nodes.Expr() as value):
            text = pattern.value if isinstance(pattern, nodes.Const) else None
            if isinstance(text, str) and not text.startswith("^"):
                return f"{written(value)} is match({written(nodes.Const('.*' + text))})"
            return f"{written(value)} is match({written(pattern)})"
        case nodes.Concat(nodes=[value, nodes.Const(value=str()) as pattern]):
            return f"{written(value)} is match({written(pattern)})"
        case _:
            return None


def _operands(tree: nodes.Expr) -> Iterator[_Operand]:
    """The innermost operands, in the order of the text."""
    if isinstance(tree, nodes.Not):
        inner = [*_operands(tree.node)] or [_Operand(node=tree.node, within=tree)]
        yield from (replace(one, is_passed_on=False) for one in inner)
    if not isinstance(tree, (nodes.And, nodes.Or)):
        return
    has_guard = guards(tree.left)
    for side in (tree.left, tree.right):
        is_left = side is tree.left
        inner = [*_operands(side)] or [_Operand(node=side, within=tree, is_left=is_left)]
        is_asked_only = is_left and isinstance(tree, nodes.And)
        for one in inner:
            is_guarded = one.is_guarded or (has_guard and not is_left)
            yield replace(
                one,
                is_passed_on=one.is_passed_on and not is_asked_only,
                is_passed_over=one.is_passed_over or (is_left and isinstance(tree, nodes.Or)),
                is_guarded=is_guarded,
            )


def _uses_anything(node: nodes.Expr) -> bool:
    used = (nodes.Name, nodes.Call)
    return isinstance(node, used) or any(node.find(kind) is not None for kind in used)


def _complaint(one: _Operand, found: Type, tree: nodes.Expr) -> Finding:
    source, line = written(one.node), one.node.lineno - 1
    if isinstance(one.within, nodes.Not):
        word, part, hint = "not", f"not {source}", _compare(one, source, found)
    else:
        word = _WORDS[type(one.within)]
        part = f"{source} {word}" if one.is_left else f"{word} {source}"
        hint = _meant(one, tree) or _compare(one, source, found)
    message = f"`{source}` is {in_words(found)}, and `{word}` takes what is true or false"
    warning = one.is_passed_over and _uses_anything(one.node)
    return Finding(code="E175", message=message, hint=hint, part=part, line=line, warning=warning)


def _compare(one: _Operand, source: str, found: Type) -> str:
    if isinstance(one.node, nodes.Const):
        return "compare something with it, or leave it out"
    return comparison(source, found, one.node)


def _meant(one: _Operand, tree: nodes.Expr) -> str | None:
    """`x == 5 or 10`: the comparison before it holds for this operand, too."""
    before = _comparison_before(one, tree)
    if before is None:
        return None
    left, sign, first = written(before.expr), before.ops[0].op, before.ops[0].expr
    if sign not in ("eq", "ne"):
        is_like = _is_number(first) and _is_number(one.node)
        return f"write `{left} {COMPARISONS[sign].sign} {written(one.node)}`" if is_like else None
    listed = ", ".join(map(written, [first, *_constants_behind(before, tree)]))
    return f"write `{left} {'in' if sign == 'eq' else 'not in'} [{listed}]`"


def _is_number(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and type(node.value) in (int, float)


def _comparison_before(one: _Operand, tree: nodes.Expr) -> nodes.Compare | None:
    """The comparison that stands before an operand, where that is a constant."""
    if one.is_left or not isinstance(one.node, nodes.Const):
        return None
    row = [each.node for each in _operands(tree)]
    before = row[row.index(one.node) - 1] if one.node in row[1:] else None
    return before if isinstance(before, nodes.Compare) and len(before.ops) == 1 else None


def _constants_behind(comparison: nodes.Compare, tree: nodes.Expr) -> Iterator[nodes.Const]:
    row = [each.node for each in _operands(tree)]
    for node in row[row.index(comparison) + 1 :]:
        if not isinstance(node, nodes.Const):
            return
        yield node
