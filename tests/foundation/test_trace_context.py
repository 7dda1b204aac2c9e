import pytest

from runner.foundation.trace_context import ids_of, traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("given", "is_valid"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f" 00-{TRACE}-{SPAN}-00\n", True),
        (f"01-{TRACE}-{SPAN}-01-what-a-later-version-adds", True),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}", False),
        (f"00-{TRACE[1:]}-{SPAN}-01", False),
        ("", False),
        ("none", False),
    ],
)
def test_only_a_valid_span_is_the_parent_of_a_run(given: str, *, is_valid: bool) -> None:
    found = traceparent({"TRACEPARENT": given})
    assert (found is not None) == is_valid
    assert ids_of(found) == ((TRACE, SPAN) if is_valid else None)


def test_without_the_variable_there_is_no_parent() -> None:
    assert traceparent({}) is None
    assert ids_of(None) is None
