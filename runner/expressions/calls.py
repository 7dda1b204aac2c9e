"""Whether filters, tests and functions are known, and called as they can be."""

from jinja2 import nodes

from runner.expressions.errors import TemplateProblem
from runner.expressions.filters.record import amount, misused
from runner.expressions.filters.table import FILTERS, LOOPS
from runner.expressions.filters.tests import TESTS
from runner.expressions.mistakes import COMPARISON, Piece, hint, suggestion
from runner.expressions.names import Functions
from runner.expressions.source import keywords, source_text, written_path
from runner.foundation import patterns
from runner.foundation.lazy import lazy_pattern

_MAP_KEYWORDS = frozenset({"attribute", "default"})
_LONGEST_VALUE = 40
_CONDITION = lazy_pattern(rf"(?:\w+\.)?\w+\s*(?:{COMPARISON})\s*.+")


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
    value = _argument(node, 1) if value == "re" else value
    value = _argument(node) if value in ("JSON", "json", "Math", "Object", "Number", "String", "Convert") else value
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
        is_test = name in TESTS and hint("filters", name) is None
        here = f"it is a test: write `is {name}`" if is_test else _filter_hint(name, node)
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


def _check_test_call(
    name: str, node: nodes.Node, arguments: list[nodes.Expr], *, denied: bool = False, here: str | None = None
) -> None:
    """`here` is what to write where nothing better is known."""
    if name not in TESTS:
        raise _unknown("test", name, node, _test_hint(name, node, denied=denied) or here)
    _raise_if(misused(name, TESTS[name].call, len(arguments), ()), name, node, here)
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
    by_key = name.endswith("attr")
    verb, own = name.removesuffix("attr"), arguments[: 1 + by_key]  # those after them are for the test
    here = f'for example `{verb}attr("Name", "eq", "x")` of records, `{verb}("gt", 5)` of other items'
    if named or (by_key and not arguments) or any(map(_is_condition, own)):
        takes = "the name of a key, a test and a value" if by_key else "the name of a test and a value"
        raise refused(node, f"`{name}` takes {takes}, each in its own place", here, name)
    for test in own[by_key:]:
        if not isinstance(test, nodes.Const) or not isinstance(test.value, str):
            raise refused(node, f"`{name}` takes the name of a test, written out in quotes", here, name)
        _check_test_call(test.value, node, arguments[1 + by_key :], here=here)


def _is_condition(argument: nodes.Expr) -> bool:
    """`select("item.Total > 0")`, `selectattr("Name" == "x")`."""
    text = argument.value if isinstance(argument, nodes.Const) else None
    return isinstance(argument, nodes.Compare) or (isinstance(text, str) and bool(_CONDITION.fullmatch(text.strip())))


def _check_map(node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    if not arguments:
        stray = next((word for word in named if word not in _MAP_KEYWORDS), None)
        wrong = None if "attribute" in named else '`map` needs a filter, or `attribute="…"`'
        _raise_if(f"`map` has no argument `{stray}`; it has `attribute`, `default`" if stray else wrong, "map", node)
        return
    name = _filter_named(arguments[0])
    if name in FILTERS or (name.islower() and suggestion("filters", name, {*FILTERS, *TESTS})):
        _check_filter_call(name, node, arguments[1:], named)
        return
    raise _unknown("filter", name, node, f'write `map(attribute="{name}")` for a key of each item')


def _filter_named(argument: nodes.Expr) -> str:
    if isinstance(argument, nodes.Const) and isinstance(argument.value, str):
        return argument.value
    key = f'write `map(attribute="{source_text(argument)}")` for a key of each item'
    here = key if isinstance(argument, nodes.Name) else None
    raise refused(argument, "`map` takes the name of a filter, written out in quotes", here, "map")


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
