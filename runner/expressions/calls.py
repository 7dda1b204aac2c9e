"""Whether filters, tests and functions are known, and called as they can be."""

from jinja2 import nodes

from runner.expressions.errors import TemplateProblem
from runner.expressions.filters.record import amount, misused
from runner.expressions.filters.table import FILTERS, LOOPS
from runner.expressions.filters.tests import TESTS
from runner.expressions.mistakes import COMPARISON, Piece, hint, suggestion
from runner.expressions.names import Functions
from runner.expressions.operators import COMPARISONS
from runner.expressions.source import keywords, source_text, written_path
from runner.foundation import patterns
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import compact

_MAP_KEYWORDS = frozenset({"attribute", "default"})
_OWN_WORDS = frozenset({"attribute", "test", "value"})  # of other languages, for what a choice takes without a name
_LONGEST_VALUE = 40
_OPPOSITE = {"select": "reject", "reject": "select", "selectattr": "rejectattr", "rejectattr": "selectattr"}
_CONDITION = lazy_pattern(rf"(?:\w+\.)?(\w+)\s*({COMPARISON})\s*(.+)")


def check_function(node: nodes.Call, available: Functions) -> str:
    """The name of the function that `node` calls. Raises `TemplateProblem` where it calls none of `available`."""
    callee = node.node
    if isinstance(callee, nodes.Getattr):
        raise _method(callee, node)
    if not isinstance(callee, nodes.Name):
        raise refused(node, f"`{source_text(callee)}` cannot be called", "call functions by their names")
    name = callee.name
    takes = available.get(name)
    if takes is None:
        raise _unknown_function(name, node, available)
    _check_stars(node, name)
    if node.kwargs or len(node.args) != takes:
        raise unreadable(node, f"`{name}()` takes {amount(takes, takes)}", name, hint("own_functions", name))
    if any(isinstance(argument, nodes.Const) and not isinstance(argument.value, str) for argument in node.args):
        raise unreadable(node, f"`{name}()` takes a text", name)
    return name


def check_filter(node: nodes.Filter) -> None:
    _check_stars(node, node.name)
    _check_filter_call(node.name, node, node.args, [pair.key for pair in keywords(node)])


def check_test(node: nodes.Test, *, denied: bool = False) -> None:
    """`denied`: it is the test of an `is not`."""
    _check_stars(node, node.name)
    _raise_if(f"`{node.name}` takes its argument without a name" if node.kwargs else None, node.name, node)
    _check_test_call(node.name, node, node.args, denied=denied)


def refused(node: nodes.Node, message: str, hint: str | None = None, name: str | None = None) -> TemplateProblem:
    return TemplateProblem("E125", message, hint=hint, name=name, line=node.lineno - 1)


def unreadable(node: nodes.Node, message: str, name: str | None = None, hint: str | None = None) -> TemplateProblem:
    return TemplateProblem("E120", message, hint=hint, name=name, line=node.lineno - 1)


def _unknown(what: str, name: str, node: nodes.Node, hint: str | None) -> TemplateProblem:
    return TemplateProblem("E124", f"unknown {what} `{name}`", hint=hint, name=name, line=node.lineno - 1)


def _method(callee: nodes.Getattr, node: nodes.Call) -> TemplateProblem:
    name, value = callee.attr, source_text(callee.node)
    value = _argument(node) if value in ("JSON", "Math", "Object", "Number", "String", "Convert") else value
    here = _variable(callee, node) or hint("methods", name, value=value, argument=_argument(node))
    if here is None:
        applied = nodes.Filter(callee.node, name, node.args, node.kwargs, None, None)
        here = f"write `{source_text(applied)}`" if name in FILTERS else "use a filter: `value | filter`"
    return refused(node, f"`.{name}()`: values have no methods", here, name)


def _variable(callee: nodes.Getattr, node: nodes.Call) -> str | None:
    """`env.get("NAME")`."""
    name = Piece(_argument(node)).inside
    is_get = callee.attr == "get" and written_path(callee.node) == ("env",) and name.isidentifier()
    return f"write `env.{name}`" if is_get else None


def _argument(node: nodes.Call | nodes.Filter | nodes.Test, index: int = 0) -> str:
    return source_text(node.args[index]) if len(node.args) > index else "…"


def _unknown_function(name: str, node: nodes.Call, available: Functions) -> TemplateProblem:
    value = _argument(node)
    here = hint("functions", name, value=value, argument=_argument(node, 1))
    if here is None and name in FILTERS:
        applied = nodes.Filter(node.args[0] if node.args else None, name, node.args[1:], node.kwargs, None, None)
        here = f"it is a filter: write `{source_text(applied)}`"
    elif here is None and name in TESTS:
        here = f"it is a test: write `{value} is {name}`"
    return _unknown("function", name, node, here or suggestion("functions", name, available))


def _check_stars(node: nodes.Filter | nodes.Test | nodes.Call, name: str) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise refused(node, "`*` and `**` before an argument are not known", "write each argument out", name)


def _check_filter_call(name: str, node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    if name in LOOPS:
        _check_loop(name, node, arguments, named)
    elif name not in FILTERS:
        here = f"it is a test: write `is {name}`" if name in TESTS else _filter_hint(name, node)
        raise _unknown("filter", name, node, here)
    else:
        _raise_if(misused(name, FILTERS[name].call, len(arguments), named), name, node)
        if FILTERS[name].pattern:
            _check_pattern(name, node, arguments)


def _filter_hint(name: str, node: nodes.Node) -> str | None:
    if not isinstance(node, nodes.Filter) or node.name != name or node.node is None:
        return suggestion("filters", name, FILTERS)
    value = source_text(node.node)
    shown = value if len(value) <= _LONGEST_VALUE else "…"
    return suggestion("filters", name, FILTERS, value=shown, argument=_argument(node))


def _check_test_call(name: str, node: nodes.Node, arguments: list[nodes.Expr], *, denied: bool = False) -> None:
    if name not in TESTS:
        raise _unknown("test", name, node, _test_hint(name, node, denied=denied))
    _raise_if(misused(name, TESTS[name].call, len(arguments), ()), name, node)
    if TESTS[name].pattern:
        _check_pattern(name, node, arguments)


def _test_hint(name: str, node: nodes.Node, *, denied: bool) -> str | None:
    if not isinstance(node, nodes.Test):
        return hint("fields", name) or suggestion("tests", name, TESTS)
    return suggestion("tests", name, TESTS, value=source_text(node.node), argument=_argument(node), denied=denied)


def _check_loop(name: str, node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    """Check `map`, `select` and their like, with the filter or test that they name."""
    if name == "map":
        _check_map(node, arguments, named)
        return
    _refuse_condition(name, node, arguments)
    _raise_if(f"`{name}` has no argument `{named[0]}`" if named else None, name, node)
    if name.endswith("attr"):
        _raise_if(None if arguments else f"`{name}` needs the name of a key", name, node)
        _check_choice(name, arguments[0], node, arguments[1:])
    else:
        _check_choice(name, None, node, arguments)


def _refuse_condition(name: str, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
    """`select("item.Total > 0")`, `selectattr("Name" == "x")`, `selectattr(Name="x")`."""
    pairs = keywords(node) if isinstance(node, nodes.Filter) and node.name == name and not arguments else []
    own = arguments[: 2 if name.endswith("attr") else 1]  # those after them are for the test
    condition = next((found for argument in own if (found := _condition(argument)) is not None), None)
    if condition is None and len(pairs) == 1 and pairs[0].key not in _OWN_WORDS:
        condition = pairs[0].key, "eq", source_text(pairs[0].value)
    if condition is not None:
        key, test, value = condition
        asks, test = (name, test) if test else (_OPPOSITE[name], "in")
        takes = "the name of a key" if name.endswith("attr") else "the name of a test"
        raise refused(
            node, f"`{name}` takes {takes}, and no expression", _by_key(asks, compact(key), test, value), name
        )


def _condition(argument: nodes.Expr) -> tuple[str, str, str] | None:
    """Key, test and value of a comparison, written out or in quotes."""
    match argument:
        case nodes.Const(value=str() as text) if found := _CONDITION.fullmatch(text.strip()):
            return found[1], Piece(found[2]).as_test, found[3].replace("'", '"')
        case nodes.Compare(expr=nodes.Const(value=str() as key), ops=[operand]):
            return key, COMPARISONS[operand.op].test, source_text(operand.expr)
        case nodes.Compare(expr=left, ops=[operand]) if path := written_path(left):
            return ".".join(map(str, path[1:] or path)), COMPARISONS[operand.op].test, source_text(operand.expr)
        case _:
            return None


def _by_key(name: str, key: str, test: str, *values: str) -> str:
    return f"write `{name.removesuffix('attr')}attr({', '.join((key, compact(test), *values))})`"


def _check_choice(name: str, key: nodes.Expr | None, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
    """Check the test of items, or of the values of a key, and what the test takes."""
    if not arguments:
        return
    first, others = arguments[0], arguments[1:]
    word = first.value if isinstance(first, nodes.Const) and isinstance(first.value, str) else None
    if word is not None and word in TESTS:
        needs = None if key is None or others else _by_key(name, _as_key(key), word, "…")
        _raise_if(misused(word, TESTS[word].call, len(others), ()), word, node, needs)
        _check_test_call(word, node, others)
    elif (here := _choice_hint(name, key, first, others)) is None:
        _check_test_call(_literal(name, "test", first), node, others)
    elif word is None:
        raise refused(node, f"`{name}` takes the name of a test, written out in quotes", here, name)
    else:
        raise _unknown("test", word, node, here)


def _choice_hint(name: str, key: nodes.Expr | None, first: nodes.Expr, others: list[nodes.Expr]) -> str | None:
    """The choice by a key, where the key or a value is in the place of the test, or the test lacks its quotes."""
    text = first.value if isinstance(first, nodes.Const) and isinstance(first.value, str) else None
    if text is not None and text[:1].islower() and _test_hint(text, first, denied=False):
        return None
    values = [*map(source_text, others)]
    if key is not None and isinstance(first, nodes.Name) and first.name in TESTS:
        return _by_key(name, _as_key(key), first.name, *values)
    if key is not None:
        return None if values else _by_key(name, _as_key(key), "eq", source_text(first))
    match values:
        case [value] if text is not None:
            return _by_key(name, compact(text), "eq", value)
        case [test, value] if text is not None and Piece(test).inside in TESTS:
            return _by_key(name, compact(text), Piece(test).inside, value)
        case _:
            return None


def _as_key(key: nodes.Expr) -> str:
    """A name in capitals is the name of a key without its quotes."""
    return compact(key.name) if isinstance(key, nodes.Name) and key.name[:1].isupper() else source_text(key)


def _check_map(node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    if not arguments:
        stray = next((word for word in named if word not in _MAP_KEYWORDS), None)
        wrong = None if "attribute" in named else '`map` needs a filter, or `attribute="…"`'
        _raise_if(f"`map` has no argument `{stray}`; it has `attribute`, `default`" if stray else wrong, "map", node)
        return
    name = _literal("map", "filter", arguments[0])
    if name in FILTERS or (name.islower() and suggestion("filters", name, {*FILTERS, *TESTS})):
        _check_filter_call(name, node, arguments[1:], named)
        return
    raise _unknown("filter", name, node, f'write `map(attribute="{name}")` for a key of each item')


def _literal(name: str, what: str, argument: nodes.Expr) -> str:
    if isinstance(argument, nodes.Const) and isinstance(argument.value, str):
        return argument.value
    is_key = name == "map" and isinstance(argument, nodes.Name)
    here = f'write `map(attribute="{source_text(argument)}")` for a key of each item' if is_key else None
    raise refused(argument, f"`{name}` takes the name of a {what}, written out in quotes", here, name)


def _raise_if(wrong: str | None, name: str, node: nodes.Node, hint: str | None = None) -> None:
    if wrong is not None:
        raise unreadable(node, wrong, name, hint)


def _check_pattern(name: str, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
    texts = [each.value for each in arguments if isinstance(each, nodes.Const) and isinstance(each.value, str)]
    if not isinstance(arguments[0], nodes.Const) or not texts:
        return
    wrong, here = patterns.check(texts[0]), "patterns are RE2's: https://github.com/google/re2/wiki/Syntax"
    if wrong is None and (ours := patterns.without_slashes(texts[0])) is not None:
        wrong, here = "the slashes around the pattern are of JavaScript", f'write `"{ours}"`'
    if wrong is None and name == "regex_replace" and len(texts) == 2:  # noqa: PLR2004  both are written out
        wrong = patterns.check_replacement(texts[0], texts[1])
    if wrong is not None:
        raise unreadable(node, f"`{name}`: {wrong}", name, here)
