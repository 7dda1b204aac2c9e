"""Files beside a folder of doubles that are not read for their names: a warning each, and the folder is served."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner.foundation.problems import Severity
from runner.sandbox.loading import load_doubles
from runner.sandbox.server import served

Folder = Callable[[Mapping[str, str]], Path]


def reported(folder: Path) -> list[str]:
    """`FILE CODE message; hint` of each warning; there are no errors."""
    _, problems = load_doubles(folder)
    assert all(problem.severity is Severity.WARNING for problem in problems)
    return [f"{Path(str(each.file)).name} {each.code} {each.message}; {each.hint}" for each in problems]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("UsrB.process.yml", "UsrB.process.yaml"),
        ("UsrB.yaml", "UsrB.process.yaml"),
        ("UsrB.yml", "UsrB.process.yaml"),
        ("UsrB.process.yaml.txt", "UsrB.process.yaml"),
        ("UsrB.Process.YAML", "UsrB.process.yaml"),
        ("records.yml", "records.yaml"),
        ("record.yaml", "records.yaml"),
    ],
)
def test_a_file_that_is_not_read_for_its_name_is_reported(folder: Folder, name: str, meant: str) -> None:
    (found,) = reported(folder({name: "runner: 1\nprocess: UsrB\n"}))
    assert found.startswith(f"{name} E100 ")
    assert found.endswith(f"; rename it to `{meant}`")


def test_files_that_are_for_others_are_left_alone(folder: Folder) -> None:
    files = {"notes.txt": "process: x", "other.yaml": "{", "a.job.yaml": "steps: []", ".UsrB.process.yaml.swp": "x"}
    assert reported(folder(files)) == []


def test_a_folder_with_warnings_is_served(folder: Folder) -> None:
    with served(folder({"UsrB.yaml": "runner: 1\nprocess: UsrB\n"})) as url:
        assert url.startswith("http://127.0.0.1:")
