import pytest

from runner.foundation.values import Json, ValuePath, guid, is_guid, is_number, mended_guid, value_at

WHOLE: Json = {"steps": [{"id": "a"}, {"id": "b"}]}
GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_a_number_is_one(value: Json) -> None:
    assert is_number(value)


@pytest.mark.parametrize("value", [True, False, "1", None, [1]])
def test_true_and_false_are_no_numbers(value: Json) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(("path", "found"), [((), WHOLE), (("steps", 1, "id"), "b"), (("steps", 0), {"id": "a"})])
def test_a_path_leads_to_a_part_of_a_value(path: ValuePath, found: Json) -> None:
    assert value_at(path, WHOLE) == found


@pytest.mark.parametrize("path", [("stages",), ("steps", 2), ("steps", -1), ("steps", "id"), ("steps", 0, "id", "a")])
def test_where_a_path_leads_nowhere_there_is_null(path: ValuePath) -> None:
    assert value_at(path, WHOLE) is None


@pytest.mark.parametrize("text", [GUID, GUID.upper(), "00000000-0000-0000-0000-000000000000"])
def test_a_guid_is_written_with_dashes_in_any_case(text: str) -> None:
    assert is_guid(text)


@pytest.mark.parametrize(
    "text", ["", GUID + "\n", GUID[:-1], GUID.replace("7", "g"), GUID.replace("-", ""), f"{{{GUID}}}"]
)
def test_nothing_else_is_a_guid(text: str) -> None:
    assert not is_guid(text)


@pytest.mark.parametrize(
    "text", [f"{{{GUID}}}", f"({GUID})", f" {GUID} ", GUID.replace("-", ""), GUID.replace("-", "", 1)]
)
def test_what_means_a_guid_is_mended(text: str) -> None:
    assert mended_guid(text) == GUID


@pytest.mark.parametrize("text", ["", "approve", GUID.replace("7", "g"), GUID[:-1], GUID + "0"])
def test_what_means_no_guid_is_not_mended(text: str) -> None:
    assert mended_guid(text) is None


@pytest.mark.parametrize("written", [GUID, GUID.upper(), f"{{{GUID.upper()}}}"])
def test_ids_of_different_sources_compare(written: str) -> None:
    assert guid(written) == GUID.lower()
    assert guid("{00000000-0000-0000-0000-000000000000}") is None
