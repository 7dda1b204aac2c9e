"""The types of expressions against their values: what is sure to go wrong goes wrong with all values.

Expressions are made by a grammar, values by the types that are announced. Of each expression the inferred type must
hold its value, and where something is reported, working it out must fail, or the comparison be what was foretold.
"""

import pytest
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.expressions.evaluate import EvaluationError, Scope, evaluate
from runner.expressions.infer import expression_type
from runner.expressions.parse import TemplateProblem, expression
from runner.expressions.typed import (
    A_BOOLEAN,
    A_NUMBER,
    A_TEXT,
    LIST,
    NULL,
    PLAIN_TEXT,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    list_of,
    may_hold_quote,
    or_null,
    record_of,
    type_of,
)
from runner.foundation.values import Json, compact

pytestmark = pytest.mark.slow

RECORD_TYPE = record_of({"Name": or_null(A_TEXT), "Score": A_NUMBER, "Active": A_BOOLEAN}, closed=True)
NAMES: dict[str, Type] = {
    "number": A_NUMBER,
    "perhaps": or_null(A_NUMBER),
    "text": A_TEXT,
    "plain": PLAIN_TEXT,
    "flag": A_BOOLEAN,
    "record": RECORD_TYPE,
    "records": list_of(RECORD_TYPE),
    "numbers": list_of(A_NUMBER),
    "texts": or_null(list_of(A_TEXT)),
    "mixed": Type(kinds=TEXT | LIST | RECORD | NULL),
    "open": record_of({"Name": A_TEXT}),
    "anything": UNKNOWN,
}
_numbers: st.SearchStrategy[Json] = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5]))
_texts: st.SearchStrategy[str] = st.sampled_from(["", "a", "B", "10", "true", "Name", "it's"])
_anything: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_texts, inner, max_size=2)),
    max_leaves=4,
)
_columns: dict[str, st.SearchStrategy[Json]] = {
    "Name": st.one_of(st.none(), _texts),
    "Score": _numbers,
    "Active": st.booleans(),
}
_record: st.SearchStrategy[Json] = st.fixed_dictionaries(_columns)
VALUES: dict[str, st.SearchStrategy[Json]] = {
    "number": _numbers,
    "perhaps": st.one_of(st.none(), _numbers),
    "text": _texts,
    "plain": st.sampled_from(["", "a", "10"]),
    "flag": st.booleans(),
    "record": _record,
    "records": st.lists(_record, max_size=2),
    "numbers": st.lists(_numbers, max_size=2),
    "texts": st.one_of(st.none(), st.lists(_texts, max_size=2)),
    "mixed": st.one_of(st.none(), _texts, st.lists(_anything, max_size=2), st.dictionaries(_texts, _anything)),
    "open": st.builds(lambda name, more: {**more, "Name": name}, _texts, st.dictionaries(_texts, _anything)),
    "anything": _anything,
}
KEYS = st.sampled_from(["Name", "Score", "Active", "Nmae", "grouper", "list", "length"])
FILTERS = st.sampled_from(
    [
        *("abs", "default", "first", "last", "length", "lower", "upper", "trim", "sort", "unique", "sum", "min", "max"),
        *("list", "join", "string", "int", "float", "round", "items", "reverse", "json", "b64encode", "urlencode"),
    ]
)
TESTS = st.sampled_from(
    ["defined", "undefined", "none", "string", "number", "integer", "boolean", "mapping", "sequence", "odd", "even"]
)
QUOTES_OUT = ['replace("\'", "\'\'")', 'regex_replace("[^a-z]", "")', "odata"]
SIGNS = st.sampled_from(["==", "!=", "<", ">=", "in", "not in"])
LITERALS = st.sampled_from(
    ["1", '"it\'s"', "0.5", '"a"', '"10"', "true", "none", "[]", "[1]", '["a", "b"]', '{"Name": "x"}']
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions around others."""
    compared = st.sampled_from(["eq", "ne", "lt", "ge", "in"])
    return st.one_of(
        st.builds("({}).{}".format, inner, KEYS),
        st.builds("({})[{}]".format, inner, st.sampled_from(["0", "-1", "1:", '"Name"'])),
        st.builds("({}) | {}".format, inner, FILTERS),
        st.builds("({}) | default({})".format, inner, LITERALS),
        st.builds("({}) | int(0)".format, inner),
        st.builds("({}) | default({}, true)".format, inner, LITERALS),
        st.builds("({}) | replace({}, {}{})".format, inner, LITERALS, LITERALS, st.sampled_from(["", ", 1"])),
        st.builds("({}) | {}".format, inner, st.sampled_from(QUOTES_OUT)),
        st.builds('({}) | map(attribute="{}") | list'.format, inner, KEYS),
        st.builds('({}) | map("{}") | list'.format, inner, st.sampled_from(["lower", "length", "string", "abs"])),
        st.builds('({}) | {}attr("{}", "{}", {})'.format, inner, SELECTS, KEYS, compared, LITERALS),
        st.builds('({}) | {}("{}", {})'.format, inner, SELECTS, compared, LITERALS),
        st.builds('({}) | {}("{}")'.format, inner, SELECTS, TESTS),
        st.builds('({}) | {}(attribute="{}")'.format, inner, st.sampled_from(["sort", "sum", "max", "unique"]), KEYS),
        st.builds('({}) | groupby("{}")'.format, inner, KEYS),
        st.builds("({}) is {}".format, inner, TESTS),
        st.builds("({}) is {}({})".format, inner, compared, LITERALS),
        st.builds("({}) {} ({})".format, inner, SIGNS, inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["+", "-", "*", "~", "and", "or"]), inner),
        st.builds("({}) if ({}) else ({})".format, inner, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds('{{"Name": {}}}'.format, inner),
    )


SELECTS = st.sampled_from(["select", "reject"])
EXPRESSIONS = st.recursive(st.one_of(st.sampled_from(sorted(NAMES)), LITERALS), _larger, max_leaves=4)


def holds(one: Type, value: Json) -> bool:
    """Whether `value` belongs to a type. A quote that is doubled ends no text."""
    if not may_hold_quote(one) and "'" in compact(value).replace("''", ""):
        return False
    if not type_of(value).kinds & one.kinds:
        return False
    if isinstance(value, list) and one.item is not None:
        return all(holds(one.item, item) for item in value)
    if isinstance(value, dict) and one.fields is not None:
        known = all(holds(one.fields[key], item) for key, item in value.items() if key in one.fields)
        return known and (not one.closed or value.keys() <= one.fields.keys())
    return True


@pytest.mark.parametrize("written", ["""plain | default("it's", true)""", """plain | replace("a", "it's", 1)"""])
def test_what_takes_the_place_of_a_text_brings_its_quotes(written: str) -> None:
    assert may_hold_quote(expression_type(expression(written), NAMES)[0])


@settings(max_examples=some(600), deadline=None)
@given(EXPRESSIONS, st.data())
def test_a_type_holds_every_value_and_a_complaint_comes_true(written: str, data: st.DataObject) -> None:
    try:
        parsed = expression(written)
    except TemplateProblem:
        return
    used = {str(name.path[0]) for name in parsed.names}
    values: dict[str, Json] = {name: data.draw(VALUES[name], label=name) for name in sorted(used)}
    found, complaints = expression_type(parsed, NAMES)
    wrong = [one for one in complaints if not one.warning]
    try:
        value = evaluate(parsed, Scope(names=values))
    except EvaluationError:
        return
    assert holds(found, value)
    assert all(one.code == "E177" or _is_not_reached(written) for one in wrong), wrong


def _is_not_reached(written: str) -> bool:
    """A part of the text is worked out in some cases only: behind `and`, `or` and `if`, or for each item of none."""
    late = (" and ", " or ", " if ", "select", "reject", "map(", "attribute", "groupby", "default", "defined")
    return any(part in written for part in late)
