"""Jobs against `staging.catalog.yaml`, which lies beside their targets file. A file is a test.

What is reported of a job in `wrong/` is beside it, word by word; of those in `right/` nothing is reported.
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
    project = open_project([file], targets=FOLDER / "targets.yaml", environment={})
    return project.problems


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.name)
def test_what_does_not_fit_the_site_is_reported_with_the_text_beside_the_job(
    file: Path, monkeypatch: pytest.MonkeyPatch, expected_texts: ExpectedTexts
) -> None:
    expected = file.with_name(file.name.replace(".job.yaml", ".txt"))

    expected_texts.check(expected, mistakes.text(problems_in(file, monkeypatch)))


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.name)
def test_each_is_reported_once_with_a_place_and_a_known_code(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = problems_in(file, monkeypatch)

    assert len({(problem.file, problem.path, problem.span) for problem in problems}) == len(problems)
    assert all(problem.code in titles() and problem.span for problem in problems)


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: file.name)
def test_what_is_not_certain_is_not_reported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes.text(problems_in(file, monkeypatch)) == ""


def test_the_jobs_are_held_against_the_catalogue_at_all() -> None:
    assert len(WRONG) > 4
    assert RIGHT
