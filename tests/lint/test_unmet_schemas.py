"""The schema of an expectation, held against the type of what it is for."""

import pytest

from runner.expressions.typed import A_NUMBER, A_TEXT, NULL, RECORD, TEXT, UNKNOWN, Type, list_of, or_null, record_of
from runner.foundation.values import Json
from runner.lint.unmet_schemas import unmet

CLOSED = record_of({"Name": A_TEXT, "Total": or_null(A_NUMBER)}, closed=True)
OPEN = record_of({"Name": A_TEXT})


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({"required": ["Other"], "properties": {"Other": {"type": "string"}}}, OPEN),
        ({"required": ["Other"]}, Type(kinds=TEXT | RECORD)),
        ({"prefixItems": [{}], "items": {"type": "string"}}, list_of(CLOSED)),
        ({"properties": {"Other": False, "additionalProperties": True}}, CLOSED),
        ({"type": "array"}, UNKNOWN),
        ({"type": "array"}, Type(kinds=NULL)),
        ({"type": ["string", "null"]}, or_null(A_NUMBER)),
        ({"type": "strin", "required": 1, "properties": [], "enum": 1, "items": 1, "allOf": {}}, CLOSED),
        (True, CLOSED),
    ],
)
def test_what_is_not_certain_is_not_reported(schema: Json, given: Type) -> None:
    assert list(unmet(schema, given)) == []


@pytest.mark.parametrize(
    ("schema", "given", "code", "warning"),
    [
        ({"required": ["Other"]}, or_null(CLOSED), "E173", False),
        ({"required": ["name"], "properties": {"Name": {}}}, CLOSED, "E173", False),
        ({"enum": ["1", "2"]}, A_NUMBER, "E177", False),
        ({"properties": {"name": {}}}, CLOSED, "E173", False),
        ({"properties": {"Unheard": {}}}, CLOSED, "E173", True),
        ({"properties": {"Total": {"type": "string"}}}, CLOSED, "E177", False),
        ({"minLength": 1}, or_null(A_NUMBER), "E177", True),
    ],
)
def test_what_is_never_met_is_an_error_and_what_checks_nothing_a_warning(
    schema: Json, given: Type, code: str, *, warning: bool
) -> None:
    assert [(one.code, one.warning) for one in unmet(schema, given)] == [(code, warning)]
