"""What goes into a query is encoded as the standard library does it, whether it is short and remembered or not."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.percent import decoded, encoded


@given(st.text() | st.text(min_size=600, max_size=700))
def test_a_text_comes_back_from_its_encoding(text: str) -> None:
    assert encoded(text) == quote(text, safe="")
    assert decoded(encoded(text)) == text


def test_half_a_surrogate_pair_is_encoded_as_its_replacement() -> None:
    assert encoded("a\ud800") == "a%EF%BF%BD"
    assert encoded("a\ud800" * 600) == "a%EF%BF%BD" * 600
