import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation.problems import Finding
from runner.foundation.values import Json, ValuePath
from runner.json_schema.flaws import check
from runner.json_schema.keywords import KEYWORDS, TYPES


def doubts(schema: Json) -> list[tuple[ValuePath, str | None]]:
    return [(found.path, found.hint) for found in check(schema) if found.warning]


def flaws(schema: Json) -> list[Finding]:
    return [found for found in check(schema) if not found.warning]


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"minimum": 1, "minLength": 1, "items": {}},
        {"type": ["string", "array"], "minLength": 1, "minItems": 1},
        {"type": "null", "minLength": 1},
        {"type": ["number", "null"], "minimum": 1, "enum": [1, None]},
        {"type": "integer", "format": "int64", "enum": [1, 2.0]},
        {"type": "string", "format": "uuid", "pattern": "^a/b$"},
        {"type": "string", "pattern": "/a/"},
        {"type": "string", "pattern": r"/\$/"},
        {"required": ["Id"], "properties": {"Name": {}}},
        {"properties": {"additionalProperties": {"type": "string"}, "required": {"const": 1}}},
        {"contains": {}, "minContains": 2, "if": {}, "else": {}},
        {"const": {"type": "string", "minimum": 1}, "default": {"format": "emial"}},
        {"type": "string", "minLength": "x", "enum": "a", "format": 1, "pattern": 1},
        {"type": "object", "properties": [], "required": {}},
        {"type": "strin", "minimum": 1},
        {"type": [None], "minimum": 1},
    ],
)
def test_what_may_be_right_is_in_no_doubt(schema: Json) -> None:
    assert doubts(schema) == []


@pytest.mark.parametrize(
    ("schema", "path", "hint"),
    [
        ({"type": "string", "minimum": 1}, ("minimum",), "did you mean `minLength`?"),
        ({"type": "string", "exclusiveMaximum": 9}, ("exclusiveMaximum",), "did you mean `maxLength`?"),
        ({"type": "array", "maxLength": 1}, ("maxLength",), "did you mean `maxItems`?"),
        ({"type": "object", "minItems": 1}, ("minItems",), "did you mean `minProperties`?"),
        ({"type": "integer", "minLength": 1}, ("minLength",), "did you mean `minimum`?"),
        ({"type": "boolean", "minimum": 1}, ("minimum",), "write `type: number` with `minimum`, or leave it out"),
        (
            {"type": ["integer", "null"], "pattern": "a"},
            ("pattern",),
            "write `type: string` with `pattern`, or leave it out",
        ),
        (
            {"items": {"type": "array", "required": ["Id"]}},
            ("items", "required"),
            "write what holds for each item of a list in `items: {required: …}`",
        ),
        ({"else": {}}, ("else",), None),
        ({"if": {}}, ("if",), None),
        ({"type": "string", "enum": ["a", True]}, ("enum", 1), None),
        ({"type": "integer", "enum": [1, "2"]}, ("enum", 1), None),
        ({"format": "mail"}, ("format",), "did you mean `email`?"),
        ({"format": "Date"}, ("format",), "did you mean `date`?"),
        ({"pattern": "/a$/gi"}, ("pattern",), "write `(?i)a$`"),
    ],
)
def test_what_is_most_likely_a_mistake_is_in_doubt(schema: Json, path: ValuePath, hint: str | None) -> None:
    assert doubts(schema) == [(path, hint)]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"minLength": 3, "maxLength": 2}, ("maxLength",)),
        ({"maxProperties": 1, "minProperties": 2}, ("minProperties",)),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 1}, ("exclusiveMaximum",)),
        ({"minimum": 1, "exclusiveMaximum": 1}, ("exclusiveMaximum",)),
        ({"type": ["string", "null"], "const": 5}, ("const",)),
        ({"type": "integer", "enum": [1.5]}, ("enum",)),
        ({"additionalProperties": False, "required": ["a"]}, ("required", 0)),
        ({"items": {"minimum": 2, "maximum": 1}}, ("items", "maximum")),
    ],
)
def test_a_schema_that_nothing_fits_is_flawed(schema: Json, path: ValuePath) -> None:
    assert [flaw.path for flaw in flaws(schema)] == [path]


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"not": {}},
        {"minimum": 1, "maximum": 1},
        {"exclusiveMinimum": 0, "maximum": 1},
        {"type": "string", "enum": []},
        {"type": "number", "enum": ["a", 1]},
        {"type": "integer", "const": 5.0},
        {"additionalProperties": False, "required": ["ab"], "patternProperties": {"^a": {}}},
        {"additionalProperties": {}, "required": ["a"]},
    ],
)
def test_a_schema_that_something_fits_or_that_says_itself_that_nothing_does_is_not(schema: Json) -> None:
    assert flaws(schema) == []


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"properties": {"items": [{}]}}, "write `items` beside `properties`, not in it"),
        ({"properties": {"properties": {"items": 5}}}, None),
        ({"properties": {"Paid": "bool"}}, "write `Paid: {type: boolean}`"),
        ({"items": "date"}, "write `{type: string, format: date}`"),
        ({"allOf": {}}, "write a list of schemas: `allOf: [{…}, {…}]`"),
        ({"properties": ["a b"]}, "write a record: `properties: {Name: {…}}`"),
        ({"nullable": False}, 'leave it out: without `"null"` in `type` no null fits'),
        ({"dependencies": {"a": {}}}, "did you mean `dependentSchemas`?"),
        ({"Title": {"type": "string"}}, "write keys of a record in `properties: {Title: …}`"),
        ({"propertys": {"a": {}}}, "did you mean `properties`?"),
        ({"type": "string?"}, 'write `type: [string, "null"]`'),
        ({"type": "string|integer"}, "write `type: [string, integer]`"),
        ({"type": ["string", "date"]}, "did you mean `string`?"),
        ({"exclusiveMaximum": True, "maximum": 2.5}, "write the bound itself: `exclusiveMaximum: 2.5`"),
        ({"minItems": "one"}, None),
    ],
)
def test_a_flaw_comes_with_a_suggestion(schema: Json, hint: str | None) -> None:
    assert flaws(schema)[0].hint == hint


ANY_SCHEMA: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*TYPES, "date", "a", "true", "/^a/"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(KEYWORDS), "nullable", "min", "id", "Total"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(ANY_SCHEMA)
@settings(deadline=None)
def test_no_schema_is_too_strange(schema: Json) -> None:
    assert not any("None" in found.hint for found in check(schema) if found.hint)
