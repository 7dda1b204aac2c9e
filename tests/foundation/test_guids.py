import pytest

from runner.foundation.guids import is_guid, mended

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


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
    assert mended(text) == GUID


@pytest.mark.parametrize("text", ["", "approve", GUID.replace("7", "g"), GUID[:-1], GUID + "0"])
def test_what_means_no_guid_is_not_mended(text: str) -> None:
    assert mended(text) is None
