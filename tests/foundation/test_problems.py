"""Exit codes: which of several speaks for a command."""

import itertools
from pathlib import Path

import pytest

from runner.execution.resume_run import ABOUT_FILES
from runner.explanations.read import titles
from runner.foundation.problems import ExitCode, strongest

TESTS = Path(__file__).parents[1]
STRONGEST_FIRST = (70, 130, 143, 129, 4, 3, 1, 6, 5, 0)


@pytest.mark.parametrize(("stronger", "weaker"), list(itertools.combinations(STRONGEST_FIRST, 2)))
def test_the_stronger_of_two_codes_wins(stronger: int, weaker: int) -> None:
    assert strongest([ExitCode(weaker), ExitCode(stronger)]) == stronger


def test_without_any_run_nothing_was_selected() -> None:
    assert strongest([]) == 5


def test_every_code_has_a_title() -> None:
    assert all(code[0] == "E" and code[1:].isdigit() and title for code, title in titles().items())


def test_every_code_is_met_by_a_test() -> None:
    texts = "".join(file.read_text(errors="replace") for file in TESTS.rglob("*") if file.suffix in {".py", ".txt"})
    assert [code for code in titles() if code not in texts] == []


def test_codes_that_a_resumed_run_passes_over_exist() -> None:
    assert [start for start in ABOUT_FILES if not any(code.startswith(start) for code in titles())] == []
