from collections.abc import Callable
from typing import TypeAlias

import pytest
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.expressions.errors import EvaluationError, TemplateProblem
from runner.expressions.evaluate import Scope, evaluate, render
from runner.expressions.parse import Expression, Template, expression, target_template, template
from runner.expressions.source import source_text
from runner.foundation.values import Json, kind_of

pytestmark = pytest.mark.slow

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
keys = st.text(max_size=5) | st.sampled_from(["a", "b", "Id", "items"])
values: st.SearchStrategy[Json] = st.recursive(
    scalars | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)

WORDS = [
    *r"""
    a b.c result[0] steps.x.y {{ }} {{- -}} ${{ {% %} ' " \ ( ) [ ] { } , : . | ~ + - * / // % ** == != < <= > >= = in
    not and or is if else for none true 1 0 2.5 9223372036854775807 'x' "y" '\d' upper length map select selectattr
    default join sort first defined odd match eq attribute= uuid('l') success() always # ! && || ? @ $ ; é 😀
    """.split(),  # noqa: SIM905  a word a line would take two pages
    *(" ", "\n", "\r", "\0", "\ud800"),
]
many_words = st.lists(st.sampled_from(WORDS), max_size=25)
soup = many_words.map(" ".join) | many_words.map("".join)

OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
leaves = st.sampled_from(
    [
        "a",
        "a.b",
        "result",
        "result[0].Id",
        "'x'",
        "1",
        "-2.5",
        "none",
        "true",
        "[]",
        "{}",
        "[1, a]",
        "{'k': a}",
        "uuid('l')",
    ]
)
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})")
        | st.tuples(
            inner,
            st.sampled_from(["length", "first", "upper", "sort", "json", "default(1)", "map(attribute='b')", "list"]),
        ).map(lambda parts: f"({parts[0]}) | {parts[1]}")
        | st.tuples(inner, st.sampled_from(["defined", "none", "odd", "eq(1)", "not string"])).map(
            lambda parts: f"({parts[0]}) is {parts[1]}"
        )
        | st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]}) if ({parts[1]}) else ({parts[2]})")
        | inner.map(lambda part: f"not ({part})")
        | st.tuples(inner, inner).map(lambda parts: f"({parts[0]})[{parts[1]}]")
        | inner.map(lambda part: f"({part}).b")
        | inner.map(lambda part: f"({part})[1:]")
    ),
    max_leaves=8,
)

Names: TypeAlias = dict[str, Json]
names = st.fixed_dictionaries({"a": values, "result": values})


def read_or_refused(text: str) -> Expression | None:
    try:
        return expression(text)
    except TemplateProblem:
        return None


def value_or_error(parsed: Expression, scope: Scope) -> "Json | EvaluationError":
    try:
        return evaluate(parsed, scope)
    except EvaluationError as error:
        return error


@given(st.text().filter(lambda text: "{{" not in text))
def test_a_text_without_braces_is_rendered_as_itself(text: str) -> None:
    assert render(template(text), Scope(names={})) == text


@pytest.mark.parametrize("read", [template, expression, target_template])
@given(text=st.text() | soup)
@settings(max_examples=some(300), deadline=None)
def test_any_text_at_all_is_a_template_or_a_problem(read: Callable[[str], Template | Expression], text: str) -> None:
    last = text.count("\n") + text.count("\r")
    try:
        lines = [name.line for name in read(text).names]
    except TemplateProblem as problem:
        lines = [problem.finding.line]
    assert all(0 <= line <= last for line in lines)


@given(expressions | soup, names)
@settings(max_examples=some(400), deadline=None)
def test_any_expression_gives_json_or_an_error(text: str, known: Names) -> None:
    parsed = read_or_refused(text)
    if parsed is not None:
        value = value_or_error(parsed, Scope(names=known, functions={"uuid": lambda label: label}))
        assert isinstance(value, EvaluationError) or kind_of(value)


@given(st.lists(st.sampled_from([".a", ".b", ".items", "[0]", "[-1]", '["Id"]', "['a b']"]), max_size=5), names)
def test_a_plain_path_gives_what_the_tree_walker_gives(parts: list[str], known: Names) -> None:
    scope = Scope(names=known)
    plain, tree = expression("a" + "".join(parts)), expression("(a" + "".join(parts) + ")")
    assert plain.tree is None
    assert tree.tree is not None
    assert plain.names == tree.names
    value, other = value_or_error(plain, scope), value_or_error(tree, scope)
    if isinstance(value, EvaluationError):
        assert str(value) == str(other)
    else:
        assert value == other


@given(expressions)
@settings(deadline=None)
def test_an_expression_written_out_again_is_the_same_expression(text: str) -> None:
    parsed = read_or_refused(text)
    if parsed is not None and parsed.tree is not None:
        again = expression(source_text(parsed.tree))
        assert (again.text if again.tree is None else source_text(again.tree)) == source_text(parsed.tree)
