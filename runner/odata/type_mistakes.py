"""What to say of operands that do not fit in a filter: what is no condition, and comparisons of two types."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.odata.filter import Column, Literal, Node, Operation, UnreadWord, readable
from runner.odata.functions import NUMBERS, Edm
from runner.odata.lexer import COMPARISONS, HOLE, TEXT_FUNCTIONS
from runner.odata.types import CONDITIONS, ColumnType, TypeClash, of_every_site, type_clashes, type_of

_WORDS: Final = {
    Edm.STRING: "a text",
    Edm.GUID: "a GUID",
    Edm.BOOLEAN: "a boolean",
    Edm.MOMENT: "a moment",
    **dict.fromkeys(NUMBERS, "a number"),
}
_EXAMPLES: Final = {Edm.STRING: "eq '…'", Edm.GUID: "ne null", Edm.MOMENT: "ne null"}
_VALUES: Final = {
    Edm.GUID: "write a GUID, without quotes",
    Edm.BOOLEAN: "write `true` or `false`",
    Edm.MOMENT: "write a date as in `2026-12-31T00:00:00Z`",
    **dict.fromkeys(NUMBERS, "write a number, without quotes"),
}
_LOOKUP: Final = lazy_pattern(r"(?:.*/)?\w+[a-z0-9]Id", re.DOTALL)


def type_mistakes(tree: Node, column_type: ColumnType = of_every_site) -> Iterator[Finding]:
    """A value in quotes beside a column whose type is not known for sure is `mistakes.py`'s."""
    for clash in type_clashes(tree, column_type):
        operation, operand = clash.operation, clash.operand
        if operation is None or operation.name.casefold() in CONDITIONS:
            yield _no_condition(clash)
        elif HOLE not in written(operand) and not (isinstance(operand, Operation) and operand.name in ("and", "or")):
            if column_type is of_every_site and _is_in_quotes(operand, clash.wanted) and _is_of_column(operation):
                continue
            yield _clash(clash, operation)  # `Name eq ('A' or 'B')` is reported of the `or`


def _is_of_column(operation: Operation) -> bool:
    return isinstance(operation.operands[0], Column)


def written(node: Node) -> str:
    """A part of a filter as text."""
    match node:
        case Literal(value=str() as text):
            return "'" + text.replace("'", "''") + "'"
        case Literal(value=datetime() as at):
            return at.strftime("%Y-%m-%dT%H:%M:%SZ")
        case Literal(value=None | bool() as value):
            return str(value).lower() if value is not None else "null"
        case Literal(value=value):
            return str(value)
        case Column(path=path):
            return path
        case UnreadWord(token=token):
            return token.text
        case Operation(name="not", operands=(operand,)):
            return f"not {written(operand)}"
        case Operation(name=name, operands=(left, right)) if name.casefold() in _BETWEEN:
            return f"{_inner(left)} {name} {_inner(right)}"
        case Operation(name=name, operands=operands) if name in ("and", "or"):
            return f" {name} ".join(map(_inner, operands))
        case Operation(name=name, operands=operands):
            return f"{name}({', '.join(map(written, operands))})"


_BETWEEN: Final = frozenset({*COMPARISONS, "add", "sub", "mul", "div", "divby", "mod", "has"})


def _inner(node: Node) -> str:
    text = written(node)
    return f"({text})" if isinstance(node, Operation) and " " in text and not text.endswith(")") else text


def _no_condition(clash: TypeClash) -> Finding:
    operand, operation = clash.operand, clash.operation
    if operation is not None and operation.name.casefold() == "not":
        return _not_alone(operand)
    hint = f"compare it with a value, as in `{written(operand)} {_EXAMPLES.get(clash.given, 'gt 0')}`"
    if isinstance(operand, Literal):
        sides = f" on both sides of `{operation.name}`" if operation is not None else ""
        hint = f"write a whole condition{sides}, as in `Name eq 'A'`"
    return Finding(message=f"`{written(operand)}` is {_WORDS[clash.given]}, and no condition", hint=hint)


def _not_alone(operand: Node) -> Finding:
    """`not` takes what follows it at once: `not A eq B` is `(not A) eq B`."""
    message = f"`not` takes `{written(operand)}` alone, and no comparison after it"
    return Finding(message=message, hint=f"put the condition in brackets, as in `not ({written(operand)} eq …)`")


def _clash(clash: TypeClash, operation: Operation) -> Finding:
    name, operand, left = operation.name, clash.operand, operation.operands[0]
    if name.casefold() not in COMPARISONS and name.casefold() != "in":
        message = f"`{name}` takes {_WORDS[clash.wanted]}, and `{written(operand)}` is {_WORDS[clash.given]}"
        if name in TEXT_FUNCTIONS and isinstance(operand, Column):
            return Finding(message=message, hint=f"compare it, as in `{operand.path} eq …`")
        return Finding(message=message, hint=_fitting(operand, clash.wanted))
    match left, operand:
        case Operation(name="not", operands=(inner,)), _:
            return _not_alone(inner)
        case Column(path=path), Literal(value=str()) if clash.wanted is Edm.GUID and _LOOKUP.fullmatch(path):
            message = f"`{path}` is a GUID, and `{written(operand)}` is a text"
            return Finding(message=message, hint=f"write `{path[:-2]}/Name {name} {written(operand)}`")
    message = f"`{written(left)}` is {_WORDS[clash.wanted]}, and `{written(operand)}` is {_WORDS[clash.given]}"
    value, wanted = (left, clash.given) if isinstance(left, Literal) else (operand, clash.wanted)
    is_chain = isinstance(left, Operation) and left.name in COMPARISONS
    return Finding(message=message, hint="join two comparisons by `and`" if is_chain else _fitting(value, wanted))


def _fitting(value: Node, wanted: Edm) -> str | None:
    """How a value is written that fits."""
    if not isinstance(value, Literal):
        return None
    if wanted is Edm.STRING:
        return f"put a text in quotes: `'{written(value)}'`"
    if _is_in_quotes(value, wanted):
        return f"write `{value.value}` without quotes"
    if wanted is Edm.BOOLEAN and value.value in (0, 1):
        return f"write `{str(bool(value.value)).lower()}`"
    return _VALUES[wanted]


def _is_in_quotes(value: Node, wanted: Edm) -> bool:
    """Whether it would be a value of this type without its quotes."""
    inner = readable(value.value) if isinstance(value, Literal) and isinstance(value.value, str) else None
    kind = type_of(inner, of_every_site) if isinstance(inner, Literal) else None
    return kind is not None and _WORDS[kind] == _WORDS[wanted]
