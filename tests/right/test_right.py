"""Every job of this folder is unusual, and right: nothing is reported. A file is a test.

Files that they lean on stand in folders below.
"""

import os
from pathlib import Path

import pytest

from runner.job.actions import IncludedJob
from runner.job.model import Case, Job
from runner.project.project import open_project
from runner.reports import mistakes

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.job.yaml"))


def opened(name: str) -> Job:
    project = open_project([FOLDER / f"{name}.job.yaml"], targets=None, environment={})
    (file,) = project.files
    assert file.job is not None, mistakes.text(project.problems)
    return file.job


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_reported_of_a_job_that_is_right(file: Path) -> None:
    project = open_project([file], targets=None, environment={})

    assert mistakes.text(project.problems) == ""
    assert [opened.job is not None for opened in project.files] == [True]


def test_there_are_enough_jobs_to_judge_by() -> None:
    assert len({file.read_bytes() for file in FILES}) == len(FILES) >= 80


def test_the_folder_as_a_whole_is_right_and_no_folder_below_is_entered() -> None:
    project = open_project([FOLDER], targets=None, environment={})

    assert mistakes.text(project.problems) == ""
    assert [Path(file.document.file).name for file in project.files] == [file.name for file in FILES]


def test_jobs_that_are_included_are_right_on_their_own_too() -> None:
    project = open_project([FOLDER, FOLDER / "included", FOLDER / "included" / "deeper"], targets=None, environment={})

    assert mistakes.text(project.problems) == ""
    assert len(project.files) > len(FILES) + 8


def test_cells_are_read_by_the_types_of_their_inputs() -> None:
    cases = opened("cases-of-every-type").cases

    assert cases == (
        Case(
            name="plain",
            inputs={"contact": "Alice", "limit": 1, "ratio": 0.5, "active": True, "tags": ["a", "b"], "free": None},
        ),
        Case(
            name="with, comma",
            inputs={
                "contact": "Smith, John",
                "limit": 2,
                "ratio": 1000.0,
                "active": False,
                "tags": [],
                "free": {"a": [1]},
                "note": "text",
            },
        ),
        Case(
            name="quotes",
            inputs={
                "contact": 'say "hi"',
                "limit": 3,
                "ratio": 2,
                "active": True,
                "tags": [],
                "free": "text",
                "note": "two\nlines",
            },
        ),
        Case(name="empty", inputs={}),
        Case(
            name="Ümlaut €",
            inputs={
                "contact": "007",
                "limit": 4,
                "ratio": -0.5,
                "active": False,
                "tags": [],
                "free": 0,
                "note": "  blanks stay  ",
            },
        ),
    )


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("cases-from-a-spreadsheet", {"one": {"contact": "Alice"}, "two": {"contact": "Bob"}}),
        ("cases-of-names-only", {"one": {}, "two": {}}),
        ("cases-with-the-name-last", {"one": {"contact": "Alice;Bob"}}),
        ("cases-in-json", {"one": {"contact": "😀 / é"}, "two": {}}),
    ],
)
def test_a_file_of_cases_gives(name: str, cases: dict[str, object]) -> None:
    found = opened(name).cases

    assert found is not None
    assert {case.name: case.inputs for case in found} == cases


def test_a_job_without_cases_is_one_run() -> None:
    assert opened("included-twice").cases is None


def test_an_included_job_is_whole_in_the_place_of_its_step() -> None:
    action = opened("included-through-another").steps[0].action

    assert isinstance(action, IncludedJob)
    assert (action.job.name, dict(action.inputs)) == ("two", {"who": "a text: with # signs"})
    inner = [step.action for step in action.job.steps]
    assert [one.job.name for one in inner if isinstance(one, IncludedJob)] == ["add", "add"]


def test_the_sources_of_a_run_are_all_its_job_files_its_own_first() -> None:
    (file,) = open_project([FOLDER / "everything-at-once.job.yaml"], targets=None, environment={}).files
    (deep,) = open_project([FOLDER / "included-through-another.job.yaml"], targets=None, environment={}).files

    folder = os.path.relpath(FOLDER)
    assert list(file.sources) == [f"{folder}/everything-at-once.job.yaml", f"{folder}/included/add.job.yaml"]
    assert [Path(name).name for name in deep.sources] == [
        "included-through-another.job.yaml",
        "two.job.yaml",
        "add.job.yaml",
    ]
    assert file.sources[f"{folder}/included/add.job.yaml"].startswith("# A job that others include;")
