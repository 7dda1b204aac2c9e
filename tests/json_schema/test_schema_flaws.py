import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation.values import Json, JsonObject, ValuePath
from runner.json_schema import flaws as schema_flaws
from runner.json_schema import schemas


def flaws(schema: Json) -> list[tuple[ValuePath, str]]:
    return [(flaw.path, flaw.message) for flaw in schema_flaws.check(schema) if not flaw.warning]


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string", "secret": True, "x-note": 1},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$anchor": "here", "type": "object"}}},
        {"properties": {"$ref": {"type": "string"}, "secret": {}, "minimun": {"$ref": "#"}}},
        {"items": {"$ref": "#here"}, "$defs": {"a": {"$anchor": "here"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"enum": [{"minimun": 1}], "default": {"type": "strin"}, "examples": [{"$ref": "http://x"}]},
    ],
)
def test_a_schema_without_flaws_is_accepted(schema: Json) -> None:
    assert flaws(schema) == []
    schemas.from_job(schema)


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        (5, (), "a JSON Schema is a record, or true or false"),
        ({"minimun": 1}, ("minimun",), "unknown keyword `minimun`"),
        ({"items": {"secret": True}}, ("items", "secret"), "unknown keyword `secret`"),
        ({"allOf": [{}, {"typ": "x"}]}, ("allOf", 1, "typ"), "unknown keyword `typ`"),
        ({"definitions": {}}, ("definitions",), "unknown keyword `definitions`"),
        (
            {"type": "strin"},
            ("type",),
            "`strin` is no type: there are string, number, integer, boolean, array, object, null",
        ),
        ({"required": True}, ("required",), "`required`: true is not a list"),
        ({"minLength": -1}, ("minLength",), "`minLength`: -1 is less than 0"),
        ({"properties": {"a": 5}}, ("properties", "a"), "5 is not a record or true or false"),
        ({"pattern": "("}, ("pattern",), "`pattern`: missing ): `(`"),
        (
            {"$ref": "http://example.com/x"},
            ("$ref",),
            "`$ref`: a reference leads to a place in the same schema, as in `#/$defs/name`",
        ),
        ({"$ref": "#/$defs/a"}, ("$ref",), "`$ref`: nothing is at `#/$defs/a`"),
        ({"$ref": "#nowhere"}, ("$ref",), "`$ref`: nothing is at `#nowhere`"),
        ({"$ref": "#"}, (), "its references lead on without end"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            ("$schema",),
            "`$schema`: another draft of JSON Schema than 2020-12",
        ),
        ({"title": "\ud800"}, (), "it holds a text or a number that JSON cannot write"),
        ({"maximum": float("nan")}, ("maximum",), "`maximum`: a number beyond JSON is not a number"),
    ],
)
def test_a_flaw_of_a_schema_is_reported_where_it_is(schema: Json, path: ValuePath, message: str) -> None:
    assert flaws(schema) == [(path, message)]


def test_a_pattern_that_only_goes_back_and_forth_can_match_is_a_flaw() -> None:
    ((path, message),) = flaws({"properties": {"a": {"patternProperties": {"(?=x)": True}}}})

    assert path == ("properties", "a", "patternProperties", "(?=x)")
    assert "look-ahead" in message


def test_an_unknown_keyword_comes_with_the_near_one() -> None:
    assert [flaw.hint for flaw in schema_flaws.check({"maxLenght": 1, "definitions": {}, "bogus": 1})] == [
        "did you mean `maxLength`?",
        "did you mean `$defs`?",
        None,
    ]


def test_all_flaws_are_reported_in_one_pass() -> None:
    assert [path for path, _ in flaws({"typ": "x", "minLength": -1, "pattern": "(", "$ref": "#/x"})] == [
        ("typ",),
        ("pattern",),
        ("$ref",),
        ("minLength",),
    ]


def test_definitions_that_multiply_are_a_flaw_and_not_a_long_wait() -> None:
    chain: JsonObject = {
        f"a{number}": {"allOf": [{"$ref": f"#/$defs/a{number + 1}"}, {"$ref": f"#/$defs/a{number + 1}"}]}
        for number in range(40)
    }

    assert flaws({"$ref": "#/$defs/a0", "$defs": {**chain, "a40": {}}})[-1] == (
        (),
        "its references lead on without end",
    )


def test_a_schema_that_is_too_deep_is_a_flaw() -> None:
    schema: Json = {}
    for _ in range(10_000):
        schema = {"not": schema}

    assert len(flaws(schema)) == 1


def test_a_schema_with_flaws_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="not of type"):
        schemas.from_job({"minLength": "x"})


KEYWORDS = st.sampled_from(["type", "items", "$ref", "allOf", "properties", "pattern", "enum", "$id", "$schema", "x"])
ANY_SCHEMA: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("#"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.slow
@given(ANY_SCHEMA)
@settings(deadline=None)
def test_any_value_at_all_is_a_schema_or_has_flaws(schema: Json) -> None:
    if not schema_flaws.check(schema):
        schemas.from_job(schema).violations({"a": [1, "x", None]})
