"""What YAML reads otherwise than it looks; what each warning reads like stands in `tests/wrong/`."""

import pytest

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import pointer
from runner.language import lookalikes
from runner.reading import load
from runner.reading.document import Document


def document(text: str) -> Document:
    loaded = load.load("a.yaml", text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def warned(text: str) -> list[Problem]:
    return list(lookalikes.check(document(text)))


@pytest.mark.parametrize(
    "text",
    [
        "vars: {a: b #1\n}",
        "vars:\n  a: b\t#1",
        "vars:\n  a: b #00ff00",
        "vars:\n  a: b #0f0",
        "vars:\n  a: b #FFF",
        "vars:\n  a: b #facade",
        "vars:\n  a: b #12, c",
        "vars:\n  a: #1",
        "steps:\n- name: b #1",
        "cases:\n- inputs:\n    a: b #1",
        "inputs:\n  a:\n    description: b #1",
        "targets:\n  a:\n    auth:\n      password: b #1",
        r"""auth: {password: "{{ file('C:\temp\a.txt') }}"}""",
        r"""auth: {password: '{{ file("C:\temp\a.txt") }}'}""",
        "steps:\n- execute:\n    process: “a”",
        "parameters:\n  a: 1.5,",
        "parameters:\n  a: null,\n  b: 1",
        "parameters:\n  a: | # why\n    b\n",
        "inputs:\n  a:\n    default: >\n      b\n",
    ],
)
def test_it_is_warned_of(text: str) -> None:
    (problem,) = warned(text)

    assert (problem.code, problem.severity) == ("E109", Severity.WARNING)


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n- id: a #1",
        "steps:\n- timeout: 5m #1\n  expect: [a] #1",
        "steps:\n- if: a #1",
        "runner: 1 #1",
        r"""auth: {password: '{{ file("C:\\temp\\a.txt") }}'}""",
        r"""auth: {password: "{{ file('C:/temp/a.txt') }}"}""",
        r"""vars: {a: 'C:\temp\a.txt'}""",
        "vars: #1\n  a: b",
        "vars:\n  a: 5 # 1",
        "vars:\n  a: 'b' #1",
        "vars:\n  a: b #abcd",
        "vars:\n  a: b #add later",
        "vars:\n  a: b #bad",
        "vars:\n  a: b #fee",
        "vars:\n  a: b #2026-01-01 changed by me",
        "vars:\n  a: b #31.12.2026",
        "vars:\n  a: b #10:30",
        "vars:\n  a: b #1st",
        "vars:\n  a: b #ab-c",
        "vars:\n  a: «b»",
        "vars:\n  a: |\n    b #1\n",
        "description: “a”",
        "vars:\n  a: “a” or “b”",
        "vars:\n  a: b,",
        "parameters:\n  a: |2\n    b\n",
        "parameters:\n  a: |\n    b\n    c\n",
        "vars:\n  a: |\n    b\n",
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert warned(text) == []


def test_what_is_reported_already_is_not_warned_of() -> None:
    text = document("vars:\n  a: b #1\n  c: d #2\n")
    reported = [text.problem("E122", "wrong", path=("vars", "a"))]

    assert [pointer(problem.path) for problem in lookalikes.check(text, reported=reported)] == ["/vars/c"]


def test_a_hint_of_a_file_with_secrets_repeats_nothing_of_it() -> None:
    text = document("targets:\n  a:\n    auth: {username: “sesame”}\n    headers:\n      Key: sesame #1\n")

    errors = lookalikes.check(text, shown=False)

    assert len(errors) == 2
    assert not any("sesame" in f"{problem.message} {problem.hint}" or "#1" in problem.message for problem in errors)
