import pytest

from runner.foundation.values import Json, Path, is_number, value_at

WHOLE: Json = {"steps": [{"id": "a"}, {"id": "b"}]}


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_a_number_is_one(value: Json) -> None:
    assert is_number(value)


@pytest.mark.parametrize("value", [True, False, "1", None, [1]])
def test_true_and_false_are_no_numbers(value: Json) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(("path", "found"), [((), WHOLE), (("steps", 1, "id"), "b"), (("steps", 0), {"id": "a"})])
def test_a_path_leads_to_a_part_of_a_value(path: Path, found: Json) -> None:
    assert value_at(path, WHOLE) == found


@pytest.mark.parametrize("path", [("stages",), ("steps", 2), ("steps", -1), ("steps", "id"), ("steps", 0, "id", "a")])
def test_where_a_path_leads_nowhere_there_is_null(path: Path) -> None:
    assert value_at(path, WHOLE) is None
