import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from bounded import bounded

from runner.foundation.values import Json, JsonObject, ValuePath
from runner.json_schema import flaws, schemas


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "7", '"7" is not a whole number'),
        ({"type": ["string", "null"]}, 1.5, "1.5 is not a text or null"),
        ({"enum": ["a", 1]}, "b", '"b" is none of "a", 1'),
        ({"const": 1}, True, "true is not 1"),
        ({"minimum": 10}, 7, "7 is less than 10"),
        ({"exclusiveMaximum": 7}, 7, "7 is not less than 7"),
        ({"multipleOf": 2}, 7, "7 is no multiple of 2"),
        ({"minLength": 3}, "a", "it has 1 character, and needs at least 3"),
        ({"maxItems": 1}, [1, 2], "it has 2 items, and may have at most 1"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "it holds an item twice"),
        ({"pattern": "^[a-z]+$"}, "A", '"A" does not fit the pattern `^[a-z]+$`'),
        ({"required": ["a"]}, {}, "the key `a` is missing"),
        ({"properties": {"a": False}}, {"a": 1}, "nothing may be here"),
        ({"not": {"type": "null"}}, None, "null is just what must not be here"),
        ({"contains": {"const": 1}}, [2], "it lacks an item that must be there"),
        (
            {"propertyNames": {"maxLength": 1}},
            {"ab": 1},
            '"ab" cannot be a key: it has 2 characters, and may have at most 1',
        ),
        ({"type": "string"}, ["x" * 100], "a list of 1 item is not a text"),
        ({"type": "number"}, "x" * 100, "a text of 100 characters is not a number"),
    ],
)
def test_a_violation_is_reported_in_a_sentence(schema: JsonObject, value: Json, message: str) -> None:
    assert [violation.message for violation in schemas.from_job(schema).violations(value)] == [message]


@pytest.mark.parametrize(
    ("schema", "messages"),
    [
        ({"minimum": 0}, ['"-99999999999999.99" is less than 0']),
        ({"multipleOf": 0.5}, ['"-99999999999999.99" is no multiple of 0.5']),
        ({"exclusiveMaximum": -99999999999999.98}, []),
        ({"type": "string", "maxLength": 20}, []),
    ],
)
def test_the_bounds_of_numbers_are_those_of_amounts_that_became_texts_for_their_digits(
    schema: JsonObject, messages: list[str]
) -> None:
    value: Json = {"rows": [{"amount": "-99999999999999.99"}, {"amount": "x"}, {"amount": "-5"}]}
    whole: Json = {"properties": {"rows": {"items": {"properties": {"amount": schema}}}}}
    found = schemas.from_job(whole).violations(value)
    assert [each.message for each in found] == messages
    assert [each.path for each in found] == [("rows", 0, "amount")] * len(messages)


def test_the_nearest_of_several_alternatives_is_reported() -> None:
    schema = schemas.from_job({"anyOf": [{"type": "array"}, {"type": "object", "required": ["Id"]}]})

    (violation,) = schema.violations({"Name": "Ann"})

    assert violation.message == "a record of 1 key fits none of the alternatives; the nearest: the key `Id` is missing"


def test_each_missing_and_each_unknown_key_is_a_violation_of_its_own() -> None:
    schema = schemas.from_job({"required": ["a", "b"], "additionalProperties": False, "properties": {"a": {}, "b": {}}})

    found = [
        (violation.path, violation.keyword, violation.expected) for violation in schema.violations({"c": 1, "d": 2})
    ]

    assert found == [
        ((), "required", "a"),
        ((), "required", "b"),
        (("c",), "additionalProperties", False),
        (("d",), "additionalProperties", False),
    ]


def test_the_path_of_a_violation_leads_to_the_part_that_does_not_fit() -> None:
    schema = schemas.from_job({"items": {"properties": {"Name": {"type": "string"}}}})

    (violation,) = schema.violations([{"Name": "Ann"}, {"Name": None}])

    assert violation.path == (1, "Name")
    assert violation.value is None


@pytest.mark.parametrize("path", [("", "a"), ("a", ""), ("7", "a"), ("007", "7"), ("a/b", "~"), ("0", 0)])
def test_a_path_has_its_keys_as_they_are_written(path: ValuePath) -> None:
    outer, inner = path
    value: Json = [True] if inner == 0 else {str(inner): True}
    schema: JsonObject = {"additionalProperties": {"items": {"type": "null"}, "additionalProperties": {"type": "null"}}}

    (violation,) = schemas.from_job(schema).violations({str(outer): value})

    assert (violation.path, violation.value) == (path, True)


def test_a_value_that_is_shown_is_never_cut_in_half() -> None:
    secret = "s3cret" * 20

    (violation,) = schemas.from_job({"type": "number"}).violations(secret)

    assert "s3c" not in violation.message


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), "\ud800", {"\ud800": ["\udfff"]}, -0.0])
def test_values_beyond_json_are_checked_as_well(value: Json) -> None:
    schema = schemas.from_job({"type": "array", "items": {"pattern": "x"}})

    assert schema.violations(value)
    assert all(violation.message.isprintable() for violation in schema.violations(value))


def deep(levels: int) -> Json:
    value: Json = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [100, 127, 200, 100_000])
def test_no_depth_of_a_value_ends_the_program(levels: int) -> None:
    recursive = schemas.from_job({"type": "array", "items": {"$ref": "#"}})
    never = schemas.from_job({"items": {"$ref": "#"}, "not": {"maxItems": 0}})

    assert (not recursive.violations(deep(levels))) == (levels <= schemas.DEEPEST)
    assert len(never.violations(deep(levels))) == 1


@pytest.mark.slow
def test_very_many_violations_are_cut_off() -> None:
    schema = schemas.from_job({"items": {"type": "string"}})
    many: list[Json] = [*range(20_000)]

    assert len(schema.violations(many)) == 100


def test_the_one_wrong_record_among_ten_thousand_is_found_quickly() -> None:
    schema = schemas.from_job(
        {
            "items": {"$ref": "#/$defs/row"},
            "uniqueItems": True,
            "$defs": {"row": {"properties": {"n": {"type": "integer"}}}},
        }
    )
    rows: list[Json] = [{"n": number, "name": f"row {number}"} for number in range(10_000)]
    rows[5_000] = {"n": "5000"}

    with bounded():
        (violation,) = schema.violations(rows)

    assert violation.path == (5_000, "n")


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "^(a+)+$", "type": "string"},
        {"type": "string", "pattern": "^(a|a)*$", "minLength": 10**6},
    ],
)
def test_no_pattern_takes_long(schema: JsonObject) -> None:
    text = "a" * 50_000 + "!"

    both: JsonObject = {"patternProperties": {"^(a+)+$": True}, "unevaluatedProperties": False}
    with bounded():
        assert schemas.from_job(schema).violations(text)
        assert schemas.from_job({"propertyNames": schema}).violations({text: 1})
        assert schemas.from_job({"patternProperties": {"^(a+)+$": False}, "minProperties": 2}).violations({text: 1})
        assert schemas.from_job(both).violations({text: 1})


def test_a_schema_with_the_address_of_the_draft_keeps_its_linear_patterns() -> None:
    schema: JsonObject = {"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": r"^\x{41}$"}

    assert not schemas.from_job(schema).violations("A")
    assert schemas.from_job({**schema, "minLength": 2}).violations("A")[0].keyword == "minLength"


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and everybody who has called there; a caller is hung up on."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, caller = server.accept()
                    callers.append(str(caller))
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/schema", callers
        server.shutdown(socket.SHUT_RDWR)


def test_a_reference_to_elsewhere_is_never_fetched() -> None:
    with listening() as (address, callers):
        outside: list[JsonObject] = [{"$ref": address}, {"$id": address, "$ref": "x"}, {"$dynamicRef": f"{address}#x"}]
        for schema in outside:
            assert flaws.check(schema)
            with pytest.raises(ValueError, match="registry"):
                schemas.from_job(schema)
        assert schemas.from_job({"$id": address, "type": "string"}).violations(1)

        assert callers == []
