"""Values as they stand in the files: read back, and with their templates worked out, they are what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.expressions.evaluate import Scope, render_value
from runner.foundation.values import Json
from runner.reading.load import load
from runner.recording.writing import comment, plain, value

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["{{", "${{ x }}", "$${{{{", "}}", "{% if %}", "parameters.Name", " run.id", "yes", "007", "# no", "a: b", "'", '"']
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc {:#", max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read_back(written: str) -> Json:
    document = load("a.yaml", f"a: {written}\n".encode())
    assert not isinstance(document, tuple), (written, document)
    assert isinstance(document.data, dict)
    return document.data["a"]


@pytest.mark.slow
@given(VALUES)
def test_a_value_is_read_back_as_it_was(real: Json) -> None:
    assert render_value(read_back(value(real)), Scope(names={"parameters": {}})) == real


@given(TEXTS)
def test_a_text_for_people_holds_no_template(text: str) -> None:
    assert "{{" not in str(read_back(plain(text)))


@given(TEXTS)
def test_a_comment_is_one_line_that_is_no_data(text: str) -> None:
    assert read_back(f"1\n{comment(text)}") == 1
