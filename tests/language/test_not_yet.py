import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.documents import load
from runner.documents.document import Document
from runner.language import not_yet


def told(text: str, name: str) -> list[tuple[int, str, str]]:
    document = load.load("a.yaml", text.encode())
    assert isinstance(document, Document)
    found = not_yet.check(document, name)
    return [(problem.span.line if problem.span else 0, problem.code, problem.message) for problem in found]


@pytest.mark.parametrize("key", [*not_yet.STEP])
def test_a_key_of_a_step_that_is_not_there_yet_is_refused_by_name(key: str) -> None:
    expected = [(4, "E109", f"`{key}` is not there yet")]

    assert told(f"runner: 1\nname: a\nsteps:\n  - {key}: x\n", "job") == expected
    assert told(f"runner: 1\nname: a\nfinally:\n  - {key}: x\n", "job") == expected


@pytest.mark.parametrize(
    ("text", "name", "keys"),
    [
        (
            "timeout: 5m\ncases: x\ncleanup_timeout: 1m\nconcurrency: x\n",
            "job",
            ["timeout", "cleanup_timeout", "concurrency"],
        ),
        ("steps:\n  - undo: {}\nconcurrency: x\nfinally:\n  - undo: []\n", "job", ["undo", "concurrency", "undo"]),
    ],
)
def test_what_is_not_there_yet_is_refused_in_the_order_of_the_file(text: str, name: str, keys: list[str]) -> None:
    assert [message for _, _, message in told(text, name)] == [f"`{key}` is not there yet" for key in keys]


def test_what_is_there_is_not_refused() -> None:
    job = "runner: 1\nname: a\nsteps:\n  - execute: {process: X, until: done}\n    timeout: 5s\n    verify: log\n"
    more = "name: a\ncases: a.csv\nsteps: [{run: x}, {wait: x}, {query: x}, {job: x, for_each: x}, {confirm: x}]\n"

    assert told(job, "job") == []
    assert told(more, "job") == []


@given(st.sampled_from(["job"]), st.text(alphabet="stepargvin[]{}:,- \n0", max_size=60))
@settings(deadline=None)
def test_a_document_of_any_shape_is_taken(name: str, text: str) -> None:
    document = load.load("a.yaml", text.encode())
    if isinstance(document, Document):
        not_yet.check(document, name)
