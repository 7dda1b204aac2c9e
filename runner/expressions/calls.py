"""Whether filters, tests and functions are known, and called as they can be."""

import re

from jinja2 import nodes

from runner.expressions import methods, words
from runner.expressions.errors import TemplateProblem
from runner.expressions.filters import FILTERS, LOOPS
from runner.expressions.names import Functions
from runner.expressions.shapes import SIGNS_AS_TESTS
from runner.expressions.signatures import amount, misused
from runner.expressions.source import keywords, written
from runner.expressions.tests import TESTS
from runner.foundation import patterns

_MAP_KEYWORDS = frozenset({"attribute", "default"})
_TAKE_PATTERNS = frozenset({"match", "regex_search", "regex_replace"})
_NO_METHODS = "`value | filter` does such things"
_SLASHES = re.compile(r"/(\^.*|.*(?<!\\)\$)/([a-z]*)", re.DOTALL)
_FILTERING = re.compile(r"(?:\w+\.)?(\w+)\s*(==|!=|>=|<=|>|<)\s*(.+)")
_ALL_FILTERS = FILTERS.keys() | LOOPS.keys()


def check_function(node: nodes.Call, available: Functions) -> str:
    """The name of the function that `node` calls. Raises `TemplateProblem` where it calls none of `available`."""
    callee = node.node
    if isinstance(callee, nodes.Getattr):
        raise _method(callee, node)
    if not isinstance(callee, nodes.Name):
        raise refused(node, f"`{written(callee)}` cannot be called", "only functions are called, by their name")
    takes = available.get(callee.name)
    if takes is None:
        raise _unknown_function(callee.name, node, available)
    _no_stars(node, callee.name)
    if node.kwargs or len(node.args) != takes:
        wanted = amount(("text",) * takes, takes)
        raise unreadable(node, f"`{callee.name}()` takes {wanted}", callee.name, words.CALLS.get(callee.name))
    if any(isinstance(argument, nodes.Const) and not isinstance(argument.value, str) for argument in node.args):
        raise unreadable(node, f"`{callee.name}()` takes a text", callee.name)
    return callee.name


def check_filter(node: nodes.Filter) -> None:
    _no_stars(node, node.name)
    _filter_called(node.name, node, node.args, [pair.key for pair in keywords(node)])


def check_test(node: nodes.Test) -> None:
    _no_stars(node, node.name)
    wrong = f"`{node.name}` takes its argument without a name" if node.kwargs else None
    _rightly(wrong, node.name, node)
    _test_called(node.name, node, node.args)


def refused(node: nodes.Node, message: str, hint: str | None = None, name: str | None = None) -> TemplateProblem:
    """The problem of an operation that expressions do not have."""
    return TemplateProblem("E125", message, hint=hint, name=name, line=node.lineno - 1)


def unreadable(node: nodes.Node, message: str, name: str | None = None, hint: str | None = None) -> TemplateProblem:
    return TemplateProblem("E120", message, hint=hint, name=name, line=node.lineno - 1)


def _method(callee: nodes.Getattr, node: nodes.Call) -> TemplateProblem:
    value, argument = written(callee.node), written(node.args[0]) if node.args else "…"
    here = methods.instead(callee, node)
    if here is None and (known := words.METHODS.get(callee.attr.lower().replace("_", ""))) is not None:
        here = known.format(value=value, argument=argument)
    if here is None and callee.attr in _ALL_FILTERS:
        here = f"write `{value} | {callee.attr}`"
    return refused(node, f"`.{callee.attr}()`: values have no methods", here or _NO_METHODS, callee.attr)


def _unknown_function(name: str, node: nodes.Call, available: Functions) -> TemplateProblem:
    argument = written(node.args[0]) if node.args else "…"
    if (hint := words.FUNCTIONS.get(name.lower())) is not None:
        hint = hint.replace("{argument}", argument)
    elif name in _ALL_FILTERS:
        hint = f"it is a filter: write `{argument} | {name}`"
    elif name in TESTS:
        hint = f"it is a test: write `{argument} is {name}`"
    else:
        hint = words.suggestion(name, available, {})
    return TemplateProblem("E124", f"unknown function `{name}`", hint=hint, name=name, line=node.lineno - 1)


def _no_stars(node: nodes.Filter | nodes.Test | nodes.Call, name: str) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise refused(node, "`*` and `**` before an argument are not known", "write each argument out", name)


def _filter_called(name: str, node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    if name in LOOPS:
        _loop_called(name, node, arguments, named)
        return
    if (known := FILTERS.get(name)) is None:
        hint = f"it is a test: write `is {name}`" if name in TESTS else None
        hint = hint or words.suggestion(name, _ALL_FILTERS, words.FILTERS)
        raise TemplateProblem("E124", f"unknown filter `{name}`", hint=hint, name=name, line=node.lineno - 1)
    _rightly(misused(name, known, len(arguments), named), name, node)
    _check_patterns(name, node, arguments)


def _test_called(name: str, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
    if (known := TESTS.get(name)) is None:
        hint = _test_meant(name, node)
        raise TemplateProblem("E124", f"unknown test `{name}`", hint=hint, name=name, line=node.lineno - 1)
    _rightly(misused(name, known, len(arguments), ()), name, node)
    _check_patterns(name, node, arguments)


def _test_meant(name: str, node: nodes.Node) -> str | None:
    """The test that is meant, with the value that was asked about; a step is asked by its status."""
    hint = words.suggestion(name, TESTS, words.TESTS)
    if isinstance(node, nodes.Filter):
        return words.OF_FIELDS.get(name.lower(), hint)
    value = written(node.node) if isinstance(node, nodes.Test) else ""
    if hint is None or not value or hint.count("…") != 1:
        return hint
    is_step = re.fullmatch(r"steps\.\w+", value) is not None and "== " in hint
    return hint.replace("…", f"{value}.status" if is_step else value)


def _loop_called(name: str, node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    """Check `map`, `select` and their like, with the filter or test that they name."""
    if name == "map":
        _map_called(node, arguments, named)
        return
    _rightly(f"`{name}` has no argument `{named[0]}`" if named else None, name, node)
    if name in {"selectattr", "rejectattr"}:
        _rightly(None if arguments else f"`{name}` needs the name of a key", name, node)
        arguments = arguments[1:]
    if arguments:
        test = _literal(name, "test", arguments[0])
        _no_expression(name, test, node)
        _test_called(test, node, arguments[1:])


def _no_expression(name: str, text: str, node: nodes.Node) -> None:
    """`select("item.Total > 0")`: what is asked of each item is a test, never an expression."""
    found = _FILTERING.fullmatch(text.strip())
    if found is not None:
        value = found[3].replace("'", '"')
        by_key = name if name.endswith("attr") else f"{name}attr"
        hint = f'write `{by_key}("{found[1]}", "{SIGNS_AS_TESTS[found[2]]}", {value})`'
        raise refused(node, f"`{name}` takes the name of a test, and no expression", hint, name)


def _map_called(node: nodes.Node, arguments: list[nodes.Expr], named: list[str]) -> None:
    if not arguments:
        stray = next((word for word in named if word not in _MAP_KEYWORDS), None)
        wrong = None if "attribute" in named else '`map` needs a filter, or `attribute="…"`'
        _rightly(f"`map` has no argument `{stray}`; it has `attribute`, `default`" if stray else wrong, "map", node)
        return
    name = _literal("map", "filter", arguments[0])
    if name in _ALL_FILTERS or (name.islower() and words.suggestion(name, {*_ALL_FILTERS, *TESTS}, words.FILTERS)):
        _filter_called(name, node, arguments[1:], named)
        return
    hint = f'write `map(attribute="{name}")` for a key of each item'
    raise TemplateProblem("E124", f"unknown filter `{name}`", hint=hint, name=name, line=node.lineno - 1)


def _literal(name: str, what: str, argument: nodes.Expr) -> str:
    if isinstance(argument, nodes.Const) and isinstance(argument.value, str):
        return argument.value
    is_key = name == "map" and isinstance(argument, nodes.Name)
    hint = f'write `map(attribute="{written(argument)}")` for a key of each item' if is_key else None
    raise refused(argument, f"`{name}` takes the name of a {what}, written out in quotes", hint, name)


def _rightly(wrong: str | None, name: str, node: nodes.Node) -> None:
    if wrong is not None:
        raise unreadable(node, wrong, name)


def _check_patterns(name: str, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
    """Check a pattern, and what it is replaced by, where they are written out."""
    texts = [each.value for each in arguments if isinstance(each, nodes.Const) and isinstance(each.value, str)]
    if name not in _TAKE_PATTERNS or not isinstance(arguments[0], nodes.Const) or not texts:
        return
    wrong = patterns.check(texts[0]) or _between_slashes(texts[0])
    if wrong is None and name == "regex_replace" and len(texts) == 2:  # noqa: PLR2004  both are written out
        wrong = patterns.check_replacement(texts[0], texts[1])
    if wrong is not None:
        hint = _without_slashes(texts[0]) or "patterns are RE2's: https://github.com/google/re2/wiki/Syntax"
        raise TemplateProblem("E120", f"`{name}`: {wrong}", hint=hint, name=name, line=node.lineno - 1)


def _between_slashes(pattern: str) -> str | None:
    """A pattern of JavaScript fits nothing: before `^` and behind `$` there is no room for a slash."""
    return "the slashes around the pattern are of JavaScript" if _SLASHES.fullmatch(pattern) else None


def _without_slashes(pattern: str) -> str | None:
    found = _SLASHES.fullmatch(pattern)
    if found is None:
        return None
    flag = "(?i)" if "i" in found[2] else ""
    return f'write `"{flag}{found[1]}"`'
