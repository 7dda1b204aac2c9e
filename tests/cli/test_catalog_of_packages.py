"""`runner catalog build` and what else reads packages in git: no site is asked."""

import json
from pathlib import Path

import pytest
from packages_on_disk import INTEGER, TEXT, Written, uid
from sites import targets

from runner.cli.main import ended

ROOT = Written(
    code="UsrAddTours",
    parameters={"Seats": (INTEGER, 0)},
    elements={"StartEvent1": "StartEvent", "Task1": "UserTask"},
    captions={"BaseElements.Task1.Caption": "Call the guide"},
    properties={"IsActiveVersion": "False", "Version": "1"},
)
MEMBER = Written(
    code="UsrAddTours_v1",
    parent="UsrAddTours",
    parameters={"Level": (INTEGER, None), "Ran": (TEXT, 1)},
    properties={"IsActiveVersion": "True", "Version": "2"},
)
MEMBER_UID = uid("UsrAddTours_v1")
JOB = "runner: 1\nname: tours\ntarget: here\nsteps:\n  - run: {{process: UsrAddTours, parameters: {{{given}}}}}\n"


@pytest.fixture(autouse=True)
def _packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ROOT.write(Path("packages/UsrTours"))
    MEMBER.write(Path("packages/UsrMore"))
    Path("targets.yaml").write_text(targets("https://x.example"))


def job(given: str) -> str:
    Path("a.job.yaml").write_text(JOB.format(given=given))
    return "a.job.yaml"


def codes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [one["code"] for one in json.loads(capsys.readouterr().out)["problems"]]


def test_a_catalogue_is_built_from_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "git.catalog.yaml: 1 process\n")
    text = Path("git.catalog.yaml").read_text()
    assert "packages: [packages]\n" in text
    assert "site:" not in text
    assert f"      UsrAddTours_v1: {{uid: {MEMBER_UID}, version: 2, active: true}}\n" in text
    assert "      Level: {type: integer, direction: both}\n" in text


def test_what_is_built_goes_to_stdout_where_no_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["catalog", "build", "packages"]) == 0
    first = capsys.readouterr().out
    assert ended(["catalog", "build", "packages"]) == 0
    assert first == capsys.readouterr().out
    assert first.startswith("# What the packages hold")


def test_where_the_packages_have_not_changed_the_file_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    file = Path("git.catalog.yaml")
    noted = file.read_text().replace("  UsrAddTours:\n", "  UsrAddTours: # not on Fridays\n")
    file.write_text(noted)

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    assert file.read_text() == noted
    assert "nothing has changed since" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello\n", "holds something else"),
        ("<<<<<<< HEAD\n", "holds something else"),
        ("runner: 1\nsite: https://x.example\nprocesses: {}\n", "holds the catalogue of https://x.example"),
        ("runner: 1\nprocesses: {}\n", "holds another catalogue"),
    ],
)
def test_nothing_is_written_over_but_an_own_file(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("git.catalog.yaml").write_text(text)

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 2

    assert Path("git.catalog.yaml").read_text() == text
    err = capsys.readouterr().err
    assert "error[E153]" in err
    assert told in err


def test_an_own_file_that_a_merge_has_broken_is_written_anew() -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    file = Path("git.catalog.yaml")
    whole = file.read_text()
    file.write_text(whole.replace("processes:\n", "<<<<<<< HEAD\nprocesses:\n"))

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    assert "<<<<<<<" not in file.read_text()


def test_a_folder_in_the_place_of_the_file_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["catalog", "build", "packages", "-o", "packages"]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_broken_file_is_a_warning_and_the_others_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("packages/UsrTours/Schemas/UsrAddTours/metadata.json").write_text("{")

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    place = "packages/UsrTours/Schemas/UsrAddTours/metadata.json:1:2: warning[E191]"
    assert place in capsys.readouterr().err
    assert "UsrAddTours_v1" in Path("git.catalog.yaml").read_text()


@pytest.mark.parametrize(("folder", "code"), [("nowhere", "E100"), ("targets.yaml", "E100"), ("empty", "E191")])
def test_where_there_is_nothing_to_read_nothing_is_written(
    folder: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    assert ended(["catalog", "build", folder, "-o", "git.catalog.yaml"]) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not Path("git.catalog.yaml").exists()


@pytest.mark.parametrize("catalogue", ["git.catalog.yaml", "packages", "./packages/"])
@pytest.mark.parametrize(("given", "found"), [("Level: 1", []), ("Seats: 1", ["E145"]), ("Ran: 1", ["E145"])])
def test_jobs_are_checked_by_what_was_built_and_by_the_packages_themselves(
    catalogue: str, given: str, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    capsys.readouterr()

    assert ended(["validate", job(given), "--catalog", catalogue, "--format", "json"]) == (2 if found else 0)

    assert codes(capsys) == found


def test_files_of_packages_that_cannot_be_read_are_warned_of_where_jobs_are_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("packages/UsrMore/Schemas/UsrAddTours_v1/properties.json").write_text("{")

    ended(["validate", job("Level: 1"), "--catalog", "packages", "--format", "json"])

    assert codes(capsys) == ["E191"]


def test_a_folder_without_packages_is_no_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert ended(["validate", job("Level: 1"), "--catalog", "empty", "--format", "json"]) == 2
    assert codes(capsys) == ["E191"]
