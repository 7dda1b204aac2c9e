"""Jobs against a sandbox, which knows for sure what it takes. A file is a test.

What is reported of a job in `wrong/` is in the text file beside it; of those in `right/` nothing is reported.
"""

from pathlib import Path

import pytest
from expected_texts import ExpectedTexts

from runner.explanations.read import titles
from runner.foundation.problems import Problem
from runner.project.project import open_project
from runner.reports import mistakes

FOLDER = Path(__file__).parent
WRONG = sorted((FOLDER / "wrong").glob("*.job.yaml"))
RIGHT = sorted((FOLDER / "right").glob("*.job.yaml"))


def problems_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.chdir(FOLDER)
    return open_project([file], targets=FOLDER / "targets.yaml", environment={}).problems


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.name)
def test_a_mistake_is_reported_as_the_text_beside_its_job_has_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, expected_texts: ExpectedTexts
) -> None:
    expected = file.with_name(file.name.replace(".job.yaml", ".txt"))

    expected_texts.check(expected, mistakes.text(problems_in(file, monkeypatch)))


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.name)
def test_each_mistake_has_a_known_code_and_a_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = problems_in(file, monkeypatch)

    assert problems
    assert all(problem.code in titles() and problem.span for problem in problems)


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.name)
def test_nothing_is_reported_of_a_job_that_is_right(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes.text(problems_in(file, monkeypatch)) == ""
