"""Whether a quote can be in what an expression gives, as a text; what is not certain can be.

An expression is read piece by piece. What its names hold is asked of who knows them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from jinja2 import nodes

from runner.expressions.filters.table import FILTERS
from runner.expressions.parse import Expression
from runner.expressions.source import keywords, written_path
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Path

OfName: TypeAlias = Callable[[Path], bool]
"""Whether a quote can be in the value of a name and keys."""

_OF_NUMBERS: Final = (nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos)
_NO_TEXT: Final = (nodes.Compare, nodes.Test, nodes.Not, nodes.Call, *_OF_NUMBERS)
_ALL_OTHERS: Final = lazy_pattern(r"\[\^(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w .:@/#+,]|\\[dws.-])+-?\][+*]?", re.ASCII)
"""A pattern of whatever is not among these."""


def may_hold_a_quote(parsed: Expression, of_name: OfName) -> bool:
    if parsed.path is not None:
        return of_name(parsed.path)
    return parsed.tree is None or _may(parsed.tree, of_name)


def _may(node: nodes.Node, of_name: OfName) -> bool:
    if isinstance(node, _NO_TEXT):
        return False
    if isinstance(node, nodes.Const):
        return isinstance(node.value, str) and "'" in node.value
    if isinstance(node, nodes.Filter) and node.node is not None:
        return _of_filter(node, node.node, of_name)
    path = written_path(node)
    return of_name(path) if path is not None else any(_may(part, of_name) for part in _parts(node))


def _parts(node: nodes.Node) -> Iterator[nodes.Node]:
    """What the value of `node` is made of."""
    match node:
        case nodes.CondExpr():
            yield node.expr1
            if node.expr2 is not None:
                yield node.expr2
        case nodes.Getattr() | nodes.Getitem():
            yield node.node
        case _:
            yield from node.iter_child_nodes()


def _of_filter(node: nodes.Filter, of: nodes.Node, of_name: OfName) -> bool:
    arguments = [*node.args, *(pair.value for pair in keywords(node))]
    quotes = FILTERS[node.name].quotes
    if quotes is True:
        return True
    if quotes is False:
        return any(_may(argument, of_name) for argument in arguments)
    if _takes_quotes_out(node.name, node.args):
        return False
    if node.name == "join" or node.name not in ("replace", "default"):
        return _may(of, of_name) or any(_may(argument, of_name) for argument in arguments)
    return _may(of, of_name) or any(_may(argument, of_name) for argument in arguments[-1:])


def _takes_quotes_out(name: str, arguments: Sequence[nodes.Expr]) -> bool:
    """`| replace("'", "''")` and `| regex_replace("[^a-z]", "")`."""
    given = [each.value for each in arguments if isinstance(each, nodes.Const) and isinstance(each.value, str)]
    if len(given) != len(arguments) or len(given) != 2:  # noqa: PLR2004  what is replaced by what
        return False
    old, new = given
    if name == "replace":
        return old == "'" and "'" not in new.replace("''", "")
    is_pattern = name == "regex_replace" and (old == "'" or _ALL_OTHERS.fullmatch(old) is not None)
    return is_pattern and "'" not in new.replace("''", "")
