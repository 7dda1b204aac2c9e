"""What ProcessSchemaRequest tells of a process, also where it tells it in an odd way."""

import json

import pytest

from runner.catalogue.design import Signature
from runner.catalogue.model import Direction, Kind, Parameter, ProcessElement
from runner.foundation.values import Json, JsonObject
from runner.service.process_schema import signature

TEXT = "8B3F29BB-EA14-4CE5-A5C5-293A929B6BA2"
UID = "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11"


def answer(schema: Json, *, as_text: bool = True) -> JsonObject:
    metadata: Json = {"metaData": {"schema": schema}}
    return {"success": True, "schema": {"metaData": json.dumps(metadata) if as_text else metadata}}


def of(schema: Json) -> Signature:
    return signature(answer(schema))


def read_parameter(**parameter: Json) -> tuple[Parameter, tuple[str, ...]]:
    """The one parameter, and what was odd."""
    found = of({"parameters": [{"name": "A", "dataValueType": TEXT, "direction": 0, **parameter}], "flowElements": []})
    assert found.parameters is not None
    return found.parameters["A"], found.odd


def test_a_parameter_is_reported_in_the_words_of_the_language() -> None:
    items: Json = [{"name": "Id", "dataValueType": "23018567-A13C-4320-8687-FD6F9E3699BD"}]
    kind = "651ec16f-d140-46db-b9e2-825c985a8ac2"

    found, odd = read_parameter(dataValueType=kind, direction=1, itemProperties=items, referenceSchemaUId=UID)

    assert found == Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Id": Kind.GUID}, lookup=UID.lower())
    assert odd == ()


@pytest.mark.parametrize(("number", "word"), [(0, "in"), (1, "out"), (2, "both"), (3, "internal")])
def test_a_direction_is_a_word(number: int, word: str) -> None:
    found, odd = read_parameter(direction=number)
    assert (found.direction, odd) == (word, ())


def test_a_direction_that_is_not_written_is_variable() -> None:
    found = of({"parameters": [{"name": "A", "dataValueType": TEXT}], "flowElements": []})

    assert found.parameters == {"A": Parameter(kind=Kind.TEXT, direction=Direction.BOTH)}
    assert found.odd == ()


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        *((digits, "decimal") for digits in ("57EE4C31", "07BA84CE", "3F62414E", "FF22E049", "A4AAF398")),
        *((digits, "text") for digits in ("26CBA63C", "26CBA64C", "66CBA64C", "95C6E6C4", "3509B9DD")),
    ],
)
def test_a_type_of_which_the_first_digits_are_known_is_known_by_them(first: str, kind: str) -> None:
    found, odd = read_parameter(dataValueType=f"{first}-1111-2222-3333-444444444444")
    assert (found.kind, odd) == (kind, ())


def test_elements_are_in_the_order_in_which_the_flows_lead_to_them() -> None:
    ids = {name: f"{number}0000000-0000-0000-0000-000000000000" for number, name in enumerate("ABCDE", 1)}
    listed: list[Json] = [
        {"uId": uid, "name": name, "typeName": "X.ProcessSchemaUserTask"} for name, uid in ids.items()
    ]
    ways = [
        ("D", "B"),
        ("B", "E"),
        ("E", "A"),
        ("E", "B"),
    ]  # from D, and in a circle between B and E; nothing leads to C
    flows: list[Json] = [
        {"uId": UID, "typeName": "X.ProcessSchemaSequenceFlow", "sourceRefUId": ids[a], "targetRefUId": ids[b].upper()}
        for a, b in ways
    ]

    elements = of({"parameters": [], "flowElements": listed + flows}).elements

    assert [each.name for each in elements or ()] == ["D", "B", "E", "A", "C"]


@pytest.mark.parametrize(
    ("written", "captions"),
    [
        ({"en-US": "Approve"}, ("Approve",)),
        ({"de-DE": "Freigeben"}, ("Freigeben",)),
        ({"ru-RU": "Согласовать", "en-US": "Approve", "en-GB": "Approve"}, ("Approve", "Согласовать")),
        ("Approve", ("Approve",)),
        ({}, ("",)),
    ],
)
def test_captions_are_read_from_the_resources(written: Json, captions: tuple[str, ...]) -> None:
    design: Json = {
        "parameters": [{"name": "A", "dataValueType": TEXT}],
        "flowElements": [{"uId": UID, "name": "Task1", "typeName": "X.ProcessSchemaUserTask"}],
    }
    said = answer(design)
    assert isinstance(said["schema"], dict)
    said["schema"]["resources"] = {"BaseElements.Task1.Caption": written, "Parameters.A.Caption": {"en-US": "A"}}

    found = signature(said)

    assert [(each.caption, *each.also) for each in found.elements or ()] == [captions]
    assert [each.caption for each in (found.parameters or {}).values()] == [""], "it is the code once more"


@pytest.mark.parametrize("direction", [4, -1, "0", True, 1.5])
def test_a_direction_that_is_not_reported_is_unknown(direction: Json) -> None:
    found, odd = read_parameter(direction=direction)
    assert (found.direction, odd) == ("unknown", ("the direction of `A` is not known",))


@pytest.mark.parametrize(
    ("kind", "noted"),
    [
        ("11111111-2222-3333-4444-555555555555", "`11111111-2222-3333-4444-555555555555` is not known here"),
        (None, "is missing"),
        (5, "is missing"),
    ],
)
def test_a_type_that_is_not_listed_is_unknown_and_reported(kind: Json, noted: str) -> None:
    found, odd = read_parameter(dataValueType=kind)
    assert (found.kind, odd) == ("unknown", (f"the type of `A` {noted}",))


def test_a_list_of_objects_that_only_code_knows_is_unknown_without_a_word() -> None:
    found, odd = read_parameter(dataValueType="4B51A8B5-1EE9-4437-9D58-F35E083CBCDF")
    assert (found.kind, odd) == ("unknown", ())


def test_what_connects_elements_is_no_element() -> None:
    designed: Json = [
        {"uId": UID, "name": "Approve", "typeName": "Terrasoft.Core.Process.ProcessSchemaUserTask"},
        {"uId": UID, "name": "Flow1", "typeName": "Terrasoft.Core.Process.ProcessSchemaSequenceFlow, Terrasoft.Core"},
        {"uId": UID, "name": "Lane1", "typeName": "Terrasoft.Core.Process.ProcessSchemaLane"},
        {"name": "without an id"},
        {"uId": TEXT},
        "nonsense",
    ]

    found = of({"parameters": [], "flowElements": designed})

    assert found.elements == (
        ProcessElement(uid=UID.lower(), name="Approve", kind="UserTask"),
        ProcessElement(uid=TEXT.lower(), name="", kind="unknown"),
    )


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"success": True}, "the site gives no metadata of it"),
        ({"schema": {"metaData": ""}}, "the site gives no metadata of it"),
        ({"schema": None}, "the site gives no metadata of it"),
        ({"schema": {"metaData": "{"}}, "its metadata cannot be read: it is no JSON: "),
        ({"schema": {"metaData": "[]"}}, "its metadata holds no design"),
        ({"schema": {"metaData": 5}}, "its metadata holds no design"),
    ],
)
def test_metadata_that_is_not_there_is_reported_and_nothing_is_known(reply: Json, why: str) -> None:
    found = signature(reply)
    assert (found.parameters, found.elements) == (None, None)
    assert [sentence[: len(why)] for sentence in found.odd] == [why]


def test_a_design_without_parameters_or_elements_says_nothing_of_them() -> None:
    found = of({"uId": UID})

    assert (found.parameters, found.elements) == (None, None)
    assert found.odd == ("its metadata does not list its parameters", "its metadata does not list its elements")


def test_metadata_that_is_a_record_already_is_read_as_well() -> None:
    found = signature(answer({"parameters": [], "flowElements": []}, as_text=False))

    assert found == Signature(parameters={}, elements=())


def test_a_parameter_without_a_name_is_left_out_and_reported() -> None:
    found = of({"parameters": [{"dataValueType": TEXT}, "nonsense"], "flowElements": []})

    assert (found.parameters, found.odd) == ({}, ("one of its parameters has no name",) * 2)


@pytest.mark.parametrize(("reply", "kind"), [(None, "null"), ([], "a list"), ("text", "a text"), (5, "a number")])
def test_nothing_is_known_of_an_answer_that_is_no_record(reply: Json, kind: str) -> None:
    assert signature(reply) == Signature(odd=(f"the site's answer is {kind}",))
