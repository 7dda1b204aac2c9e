import pytest

from runner.engine.answer import failed_element, sentence
from runner.foundation.values import JsonObject

GENERIC = "An error has occurred during the process execution. Please check the process log for details"
APPROVE: JsonObject = {"uid": "7d8f", "caption": "Approve", "status": "error", "error": "no such contact"}


def test_the_newest_element_that_failed_is_the_one() -> None:
    done: JsonObject = {"uid": "1", "caption": "Read", "status": "done", "error": None}
    older: JsonObject = {"uid": "2", "caption": "Older", "status": "error", "error": None}
    assert failed_element([done, APPROVE, older]) == APPROVE


@pytest.mark.parametrize("elements", [[], [{"status": "running"}], [{"status": None, "error": "x"}]])
def test_without_a_row_that_failed_no_element_is_blamed(elements: list[JsonObject]) -> None:
    assert failed_element(elements) is None


@pytest.mark.parametrize(
    ("text", "element", "expected"),
    [
        ("no contact", None, "the process failed: no contact"),
        (None, None, "the process failed, and the process log gives no reason"),
        ("", {}, "the process failed, and the process log gives no reason"),
        (None, APPROVE, 'the process failed at the element "Approve": no such contact'),
        (GENERIC, APPROVE, 'the process failed at the element "Approve": no such contact'),
        (GENERIC, APPROVE | {"error": None}, f'the process failed at the element "Approve": {GENERIC}'),
        (
            "Exception: no such contact",
            APPROVE,
            'the process failed at the element "Approve": Exception: no such contact',
        ),
        (
            "timeout",
            APPROVE,
            'the process failed at the element "Approve": timeout; the element says: no such contact',
        ),
        ("x", APPROVE | {"caption": None, "error": None}, "the process failed at the element 7d8f: x"),
        ("x", APPROVE | {"caption": "C" * 121, "error": None}, "the process failed at the element 7d8f: x"),
        ("x", {"caption": 5, "uid": None}, "the process failed: x"),
    ],
)
def test_a_failed_process_is_reported_with_its_element(
    text: str | None, element: JsonObject | None, expected: str
) -> None:
    assert sentence("failed", text, element) == expected
