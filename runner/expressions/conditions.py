"""Conditions that break, and conditions that are always true.

`and` and `or` give an operand: `result == 5 or 10` is 10, which is no boolean. The left side of `and` may be a list or
a text, which is met with a failure where it is empty. `not` gives a boolean also of a text: `"false"` is none.
"""

from collections.abc import Collection, Iterator, Mapping

from jinja2 import nodes
from msgspec import Struct
from msgspec.structs import replace

from runner.expressions.infer import expression_type, has_guard, node_type
from runner.expressions.parse import Expression, expression, readable
from runner.expressions.source import source_text, written_path
from runner.expressions.typed import ANYTHING, BOOLEAN, LIST, NUMBER, TEXT, Type, in_words
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import compact

_PATTERN = lazy_pattern(r'([^~]+) ~ ("\^[^"]*"|"[^"]*\$")')
"""The sign for a pattern of awk and of SQL."""
_OF_A_STEP = lazy_pattern(r"(steps\.\w+)(?:\.status|(\.(?:result|outputs)\b.*))?")
_DOES_SOMETHING = lazy_pattern(r"[=!<>]=|[<>|.]|\b(?:is|in|not)\b")


class _Operand(Struct, frozen=True, kw_only=True):
    """`within` is what it is an operand of. `is_result`: it may be the result; `is_skipped`: if empty or zero."""

    node: nodes.Expr
    within: nodes.And | nodes.Or | nodes.Not
    is_left: bool = False
    is_result: bool = True
    is_skipped: bool = False
    is_guarded: bool = False

    @property
    def is_constant(self) -> bool:
        used = (nodes.Name, nodes.Call)
        return not isinstance(self.node, used) and all(self.node.find(kind) is None for kind in used)


def condition_mistakes(parsed: Expression, names: Mapping[str, Type]) -> tuple[list[Finding], Finding | None]:
    """What goes wrong in a condition for sure, and what is wrong with it as a whole. Constants are judged elsewhere."""
    given, wrong = expression_type(parsed, names)
    if wrong or parsed.is_constant:
        return wrong, None
    if (operand := _operand_mistake(parsed, names)) is not None:
        return [operand], None
    if not given.may_be(BOOLEAN):
        message = f"`{parsed.text}` gives {in_words(given)}, and a condition is true or false"
        return [], Finding(code="E175", message=message, hint=comparison_hint(parsed.text, given))
    if (counted := no_bound(parsed.tree)) is not None and node_type(counted, names).kinds != ANYTHING:
        message = f"`{parsed.text}` is true of every list and text, the empty ones too"
        return [], Finding(code="E117", message=message, hint="write `> 0`, if it must not be empty", warning=True)
    return [], None


def _operand_mistake(parsed: Expression, names: Mapping[str, Type]) -> Finding | None:
    """The first operand of a condition that can never be a boolean."""
    for operand in () if parsed.tree is None else _operands(parsed.tree):
        found = node_type(operand.node, names)
        is_denied_text = isinstance(operand.within, nodes.Not) and found.kinds == TEXT
        is_none = not found.may_be(BOOLEAN) or (operand.is_constant and not found.kinds & BOOLEAN)
        matters = operand.is_constant or is_denied_text or (operand.is_result and not operand.is_guarded)
        if is_none and matters:
            return _mistake(operand, found)
    return None


def inside_quotes(parsed: Expression) -> str | None:
    """The expression in an expression that is nothing but a text: it has quotes of its own within those of YAML."""
    value = parsed.tree.value if isinstance(parsed.tree, nodes.Const) else None
    if not isinstance(value, str) or not _DOES_SOMETHING.search(value):
        return None
    inner = readable(expression, value)
    return None if inner is None or inner.is_constant else inner.text


def comparison_hint(source: str, given: Type) -> str:
    """How a condition could be made of an expression that gives something else."""
    if given.kinds & LIST and not given.kinds & TEXT:
        return f"ask how many there are: `{source} | length > 0`"
    if pattern := _PATTERN.fullmatch(source):
        return f"write `{pattern[1]} is match({pattern[2]})`"
    if not given.kinds & NUMBER and (step := _OF_A_STEP.fullmatch(source)) is not None:
        passed = f'write `{step[1]}.status == "passed"`'
        return passed if step[2] is None else f"{passed}, or compare it: `{source} == …`"
    return f"compare it with something, as in `{source} {'> 0' if given.kinds & NUMBER else '== …'}`"


def _operands(tree: nodes.Expr) -> Iterator[_Operand]:
    if isinstance(tree, nodes.Not):
        inner = [*_operands(tree.node)] or [_Operand(node=tree.node, within=tree)]
        yield from (replace(operand, is_result=False) for operand in inner)
    if not isinstance(tree, (nodes.And, nodes.Or)):
        return
    is_and, is_guarded = isinstance(tree, nodes.And), has_guard(tree.left)
    for operand in [*_operands(tree.left)] or [_Operand(node=tree.left, within=tree, is_left=True)]:
        yield replace(operand, is_result=operand.is_result and not is_and, is_skipped=operand.is_skipped or not is_and)
    for operand in [*_operands(tree.right)] or [_Operand(node=tree.right, within=tree)]:
        yield replace(operand, is_guarded=operand.is_guarded or is_guarded)


def _mistake(operand: _Operand, found: Type) -> Finding:
    source, line = source_text(operand.node), operand.node.lineno - 1
    if isinstance(operand.within, nodes.Not):
        word, part = "not", f"not {source}"
    else:
        word = "and" if isinstance(operand.within, nodes.And) else "or"
        part = f"{source} {word}" if operand.is_left else f"{word} {source}"
    hint = comparison_hint(source, found)
    if isinstance(operand.node, nodes.Const):
        hint = f"write a whole comparison on both sides of `{word}`, or `X in [A, B]` for one of several values"
        hint = "compare something with it, or leave it out" if word == "not" else hint
    message = f"`{source}` is {in_words(found)}, and `{word}` takes what is true or false"
    warning = (operand.is_skipped or word == "not") and not operand.is_constant
    return Finding(code="E175", message=message, hint=hint, part=part, line=line, warning=warning)


def always_true(tree: nodes.Expr, *, given: Collection[str]) -> bool:
    """Whether `tree` is always true; `given` are names that always have a value."""
    match tree:
        case nodes.Or():
            return always_true(tree.left, given=given) or always_true(tree.right, given=given)
        case (
            nodes.Test(name="defined", node=nodes.Name(name=name))
            | nodes.Not(node=nodes.Test(name="undefined", node=nodes.Name(name=name)))
        ):
            return name in given
        case _:
            return isinstance(tree, nodes.Const) and tree.value is True


def too_easily_true(tree: nodes.Expr) -> tuple[str, str] | None:
    """When a condition, or a side of its `and`, is true although the value is wrong, and what to write."""
    match tree:
        case nodes.And():
            return too_easily_true(tree.left) or too_easily_true(tree.right)
        case nodes.Compare(expr=nodes.Const(value=""), ops=[nodes.Operand(op="in", expr=text)]):
            return (
                f"`{source_text(tree)}` is true of every text",
                f'write `{source_text(text)} == ""` for an empty text',
            )
        case nodes.Compare(expr=left, ops=[nodes.Operand(op=sign, expr=nodes.Const(value=str() as text) as right)]):
            return _in_text(left, sign, text, right)
        case nodes.Test(name="match", node=value, args=[nodes.Const(value=str() as pattern)]):
            hint = f'write `{source_text(value)} == ""` for an empty text' if not pattern else "write what it must hold"
            return (f"`{source_text(tree)}` is true of every text", hint) if pattern in _FITS_ALL else None
        case (
            nodes.Test(name="defined", node=nodes.Filter() as items)
            | nodes.Not(node=nodes.Test(name="undefined" | "none", node=nodes.Filter() as items))
        ) if items.name in _GIVES_A_LIST:
            return f"`{source_text(tree)}` is true of an empty list, too", f"write `{source_text(items)} | length > 0`"
        case _:
            return None


_FITS_ALL = frozenset({"", "^", ".*", "^.*", ".*$", "^.*$"})
_GIVES_A_LIST = frozenset({"list", "map", "reject", "rejectattr", "select", "selectattr", "sort", "unique"})
_LISTED = lazy_pattern(r"\s*[,;|]\s*")


def _in_text(left: nodes.Expr, sign: str, text: str, right: nodes.Expr) -> tuple[str, str] | None:
    """`result.Name in "New"` is true of `"e"`, too."""
    path = written_path(left) or ("",)
    is_status = path[-1] in ("status", "process_status") and path[0] in ("steps", "process_status")
    if isinstance(left, nodes.Const) or sign not in ("in", "notin") or is_status:  # types know the words of a status
        return None
    values, value = [*filter(None, _LISTED.split(text))], source_text(left)
    if sign == "notin":
        message = f"`{value} not in {source_text(right)}` is true unless the value is a part of that text"
        return (
            (message, f"write `{source_text(right)} not in {value}`") if len(values) == 1 and " " not in text else None
        )
    listed = f"in [{', '.join(map(compact, values))}]" if len(values) > 1 else f"== {source_text(right)}"
    message = f"`{value} in {source_text(right)}` is true of each part of that text, too"
    return message, f"write `{value} {listed}`"


def no_bound(tree: nodes.Node | None) -> nodes.Expr | None:
    """The value in `value | length >= 0`: nothing has less items than none."""
    match tree:
        case nodes.Compare(
            expr=nodes.Filter(name="length", node=nodes.Name() | nodes.Getattr() | nodes.Getitem() as value),
            ops=[
                nodes.Operand(op="gteq", expr=nodes.Const(value=0))
                | nodes.Operand(op="gt" | "gteq", expr=nodes.Neg(node=nodes.Const()))
            ],
        ):
            return value
        case _:
            return None
