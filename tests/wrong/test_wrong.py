"""Every file of this folder is wrong; the exact report of it is in the text file beside it. A file is a test.

Files that they lean on stand in folders below: those of `included/` are jobs, those of `cases/` hold cases.
"""

import os
from pathlib import Path

import pytest
from expected_texts import ExpectedTexts
from seeds import problems_of_job

from runner.explanations.read import titles
from runner.foundation.problems import Problem
from runner.language import schema
from runner.reading import load
from runner.reading.document import Document
from runner.reports import mistakes
from runner.targets import rules as target_rules

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))


def kind_of(file: Path) -> str:
    """`targets` of `….targets.yaml`, `process` of `….process.yaml`, else `job`."""
    kinds = {".targets": "targets", ".process": "process"}
    return kinds.get(Path(file.stem).suffix, "job")


def called(path: Path) -> str:
    return os.path.relpath(path, FOLDER)


def problems_in(file: Path) -> tuple[Problem, ...]:
    if kind_of(file) == "job":
        return problems_of_job(file, called=called)
    document = load.read(file, name=file.name)
    if not isinstance(document, Document):
        return document
    reported = schema.check(document, kind_of(file))
    if kind_of(file) == "targets":
        return reported + target_rules.check(document, reported=reported)
    return reported


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_reported_once_with_a_known_code_a_place_and_the_text_beside_its_file(
    file: Path, expected_texts: ExpectedTexts
) -> None:
    problems = problems_in(file)

    expected_texts.check(file.with_suffix(".txt"), mistakes.text(problems))
    assert problems
    assert all(problem.code in titles() and problem.span and problem.file for problem in problems)
    places = [(problem.path, problem.span, problem.message) for problem in problems]
    assert len(places) == len(set(places))


def test_no_expected_text_has_lost_its_file() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == {file.stem for file in FILES}
