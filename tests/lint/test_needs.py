"""`needs` across the jobs of a command."""

from collections.abc import Mapping

import pytest

from runner.lint.jobs import circles, missing_needs
from runner.reading.document import Document
from runner.reading.load import load


def found(needs: Mapping[str, str], *, beside: frozenset[str] = frozenset()) -> list[str]:
    texts = {name: f"name: {name}\nneeds: {written}\n" for name, written in needs.items()}
    documents = [load(f"{name}.job.yaml", text.encode()) for name, text in texts.items()]
    read = [document for document in documents if isinstance(document, Document)]
    missing = [each.problem for each in missing_needs(read, beside=lambda _: beside)]
    return [f"{one.file}:{one.span and one.span.line}: {one.message}" for one in (*missing, *circles(read))]


def test_needs_of_jobs_that_are_there_are_fine() -> None:
    assert found({"a": "[b, c]", "b": "[c]", "c": "[d]"}, beside=frozenset({"d"})) == []


def test_a_job_that_is_not_there_is_reported_where_it_is_named() -> None:
    assert found({"a": "[b, x]", "b": "[]"}) == ["a.job.yaml:2: there is no job `x`"]


@pytest.mark.parametrize(
    ("needs", "way"),
    [
        ({"a": "[a]"}, ["a.job.yaml:2: a job needs itself: a → a"]),
        ({"a": "[b]", "b": "[c]", "c": "[a]"}, ["a.job.yaml:2: a job needs itself: a → b → c → a"]),
        ({"x": "[a]", "a": "[b]", "b": "[a]"}, ["a.job.yaml:2: a job needs itself: a → b → a"]),
        (
            {"a": "[b]", "b": "[a]", "c": "[d]", "d": "[c]"},
            ["a.job.yaml:2: a job needs itself: a → b → a", "c.job.yaml:2: a job needs itself: c → d → c"],
        ),
    ],
)
def test_each_circle_is_reported_once(needs: Mapping[str, str], way: list[str]) -> None:
    assert found(needs) == way


def test_what_is_no_list_of_names_is_left_to_the_schema() -> None:
    assert found({"a": "b", "b": "[1, {c: d}]", "c": "[b, b]"}) == []


def test_a_long_chain_of_needs_is_read_once_and_not_for_each_of_its_jobs() -> None:
    chain = {f"j{number}": f"[j{number + 1}]" for number in range(1000)} | {"j1000": "[j999]"}
    assert found(chain) == ["j999.job.yaml:2: a job needs itself: j999 → j1000 → j999"]
