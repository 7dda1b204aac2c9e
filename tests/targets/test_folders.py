"""A sandbox's folder that is not there."""

from pathlib import Path

import pytest

from runner.foundation.problems import Problem
from runner.reading.load import load
from runner.targets import build
from runner.targets.files import missing_folder
from runner.targets.folders import holds_doubles
from runner.targets.model import SandboxTarget


def reported(folder: Path, named: str) -> Problem:
    file = folder / "targets.yaml"
    file.write_text(f"runner: 1\ntargets:\n  here: {{sandbox: {named}}}\n")
    document = load(str(file), file.read_bytes())
    assert not isinstance(document, tuple)
    target = build.targets(document, beside=folder)["here"]
    assert isinstance(target, SandboxTarget)
    return missing_folder(target)


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("sandbx", "did you mean `sandbox`?"),
        ("sandboxes", "did you mean `sandbox`?"),
        ("doubles", "did you mean `sandbox`?"),
        ("../sandbox", "did you mean `sandbox`?"),
        ("specs/sandbox", "did you mean `sandbox`?"),
        ("sandbox/UsrA.process.yaml", "write the folder, `sandbox: sandbox`"),
    ],
)
def test_it_is_reported_where_it_is_named_with_the_likely_folder(tmp_path: Path, named: str, hint: str) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "UsrA.process.yaml").touch()
    problem = reported(tmp_path, named)
    assert problem.span is not None
    assert (problem.code, problem.file, problem.span.line, problem.span.column) == (
        "E100",
        str(tmp_path / "targets.yaml"),
        3,
        19,
    )
    assert problem.hint == hint


def test_without_a_folder_of_doubles_around_it_nothing_is_suggested(tmp_path: Path) -> None:
    assert reported(tmp_path, "sandbox").hint == "it is relative to the targets file"


def test_a_sandbox_that_no_file_names_is_reported_without_a_place(tmp_path: Path) -> None:
    problem = missing_folder(SandboxTarget(name="sandbox", folder=tmp_path / "sandbox"))
    assert (problem.file, problem.span) == (None, None)
    assert problem.hint is not None
    assert "beside the job" in problem.hint


def test_a_hidden_copy_makes_no_folder_of_doubles(tmp_path: Path) -> None:
    (tmp_path / "._UsrA.process.yaml").touch()
    (tmp_path / "old.process.yaml").mkdir()
    assert not holds_doubles(tmp_path)
    (tmp_path / "UsrA.process.yaml").touch()
    assert holds_doubles(tmp_path)
