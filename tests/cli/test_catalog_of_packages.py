"""`runner catalog build` and what else reads packages in git: no site is asked."""

import json
from pathlib import Path

import pytest
from captured import Capture
from packages_on_disk import INTEGER, TEXT, RawStep, uid
from sites import targets

from runner.cli.main import ended

ROOT = RawStep(
    code="UsrAddTours",
    parameters={"Seats": (INTEGER, 0)},
    elements={"StartEvent1": "StartEvent", "Task1": "UserTask"},
    captions={"BaseElements.Task1.Caption": "Call the guide"},
    properties={"IsActiveVersion": "False", "Version": "1"},
)
MEMBER = RawStep(
    code="UsrAddTours_v1",
    parent="UsrAddTours",
    parameters={"Level": (INTEGER, None), "Ran": (TEXT, 1)},
    properties={"IsActiveVersion": "True", "Version": "2"},
)
MEMBER_UID = uid("UsrAddTours_v1")
JOB = "runner: 1\nname: tours\ntarget: here\nsteps:\n  - run: {{process: UsrAddTours, parameters: {{{given}}}}}\n"


@pytest.fixture(autouse=True)
def _packages() -> None:
    ROOT.write(Path("packages/UsrTours"))
    MEMBER.write(Path("packages/UsrMore"))
    Path("targets.yaml").write_text(targets("http://127.0.0.1:9"))


def job(given: str) -> str:
    Path("a.job.yaml").write_text(JOB.format(given=given))
    return "a.job.yaml"


def codes(capsys: Capture) -> list[str]:
    return [one["code"] for one in json.loads(capsys.readouterr().out)["problems"]]


def test_a_catalogue_is_built_from_packages(capsys: Capture) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "git.catalog.yaml: 1 process\n")
    text = Path("git.catalog.yaml").read_text()
    assert "packages: [packages]\n" in text
    assert "site:" not in text
    assert f"      UsrAddTours_v1: {{uid: {MEMBER_UID}, version: 2, active: true}}\n" in text
    assert "      Level: {type: integer, direction: both}\n" in text


def test_what_is_built_goes_to_stdout_where_no_file_is_named(capsys: Capture) -> None:
    assert ended(["catalog", "build", "packages"]) == 0
    first = capsys.readouterr().out
    assert ended(["catalog", "build", "packages"]) == 0
    assert first == capsys.readouterr().out
    assert first.startswith("# What the packages hold")


def test_where_the_packages_have_not_changed_the_file_stays(capsys: Capture) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    file = Path("git.catalog.yaml")
    noted = file.read_text().replace("  UsrAddTours:\n", "  UsrAddTours: # not on Fridays\n")
    file.write_text(noted)

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    assert file.read_text() == noted
    assert "nothing has changed since" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello\n", "holds something else"),
        ("<<<<<<< HEAD\n", "holds something else"),
        ("runner: 1\nsite: https://x.example\nprocesses: {}\n", "holds the catalogue of https://x.example"),
        ("runner: 1\nprocesses: {}\n", "holds another catalogue"),
    ],
)
def test_nothing_is_written_over_but_an_own_file(text: str, sentence: str, capsys: Capture) -> None:
    Path("git.catalog.yaml").write_text(text)

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 2

    assert Path("git.catalog.yaml").read_text() == text
    err = capsys.readouterr().err
    assert "error[E153]" in err
    assert sentence in err


def test_an_own_file_that_a_merge_has_broken_is_written_anew() -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    file = Path("git.catalog.yaml")
    whole = file.read_text()
    file.write_text(whole.replace("processes:\n", "<<<<<<< HEAD\nprocesses:\n"))

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    assert "<<<<<<<" not in file.read_text()


def test_a_folder_in_the_place_of_the_file_is_no_file(capsys: Capture) -> None:
    assert ended(["catalog", "build", "packages", "-o", "packages"]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_broken_file_is_a_warning_and_the_others_are_written(capsys: Capture) -> None:
    Path("packages/UsrTours/Schemas/UsrAddTours/metadata.json").write_text("{")

    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0

    place = "packages/UsrTours/Schemas/UsrAddTours/metadata.json:1:2: warning[E191]"
    assert place in capsys.readouterr().err
    assert "UsrAddTours_v1" in Path("git.catalog.yaml").read_text()


@pytest.mark.parametrize(("folder", "code"), [("nowhere", "E100"), ("targets.yaml", "E100"), ("empty", "E191")])
def test_where_there_is_nothing_to_read_nothing_is_written(folder: str, code: str, capsys: Capture) -> None:
    Path("empty").mkdir()
    assert ended(["catalog", "build", folder, "-o", "git.catalog.yaml"]) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not Path("git.catalog.yaml").exists()


@pytest.mark.parametrize("catalogue", ["git.catalog.yaml", "packages", "./packages/"])
@pytest.mark.parametrize(("given", "found"), [("Level: 1", []), ("Seats: 1", ["E145"]), ("Ran: 1", ["E145"])])
def test_jobs_are_checked_by_what_was_built_and_by_the_packages_themselves(
    catalogue: str, given: str, found: list[str], capsys: Capture
) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    capsys.readouterr()

    assert ended(["validate", job(given), "--catalog", catalogue, "--format", "json"]) == (2 if found else 0)

    assert codes(capsys) == found


def test_files_of_packages_that_cannot_be_read_are_warned_of_where_jobs_are_checked(capsys: Capture) -> None:
    Path("packages/UsrMore/Schemas/UsrAddTours_v1/properties.json").write_text("{")

    ended(["validate", job("Level: 1"), "--catalog", "packages", "--format", "json"])

    assert codes(capsys) == ["E191"]


def test_a_folder_without_packages_is_no_catalogue(capsys: Capture) -> None:
    Path("empty").mkdir()
    assert ended(["validate", job("Level: 1"), "--catalog", "empty", "--format", "json"]) == 2
    assert codes(capsys) == ["E191"]


DOUBLES = {
    "UsrAddTours": f"""
parameters: {{Seats: {{type: integer}}}}
activities: [element: {{uid: {ROOT.element_id("Task1")}, caption: Call the guide}}]
""",
    "UsrAddTours_v1": """
of: UsrAddTours
version: 2
active: true
parameters: {Level: {type: integer, direction: both}, Ran: {type: text, direction: out}}
""",
    "UsrOfTheSite": "",
}


def serve(doubles: dict[str, str]) -> None:
    """A sandbox in the place of the site, whose jobs are in `a.job.yaml`."""
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: site}\n")
    Path("site").mkdir(exist_ok=True)
    for code, text in doubles.items():
        Path(f"site/{code}.process.yaml").write_text(f"runner: 1\nprocess: {code}\n{text}")


def drift(capsys: Capture, *, code: int) -> list[str]:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    capsys.readouterr()
    assert ended(["catalog", "check", "-t", "here", "--against", "git.catalog.yaml", "--for", "a.job.yaml"]) == code
    return capsys.readouterr().out.splitlines()


def test_a_site_that_has_what_the_file_says_is_in_order_whatever_else_it_has(capsys: Capture) -> None:
    serve({code: text for code, text in DOUBLES.items() if code != "UsrOfTheSite"})
    assert ended(["catalog", "pull", "-t", "here", "--out", "said.catalog.yaml"]) == 0
    serve(DOUBLES)

    assert ended(["catalog", "check", "-t", "here", "--against", "said.catalog.yaml"]) == 0
    assert capsys.readouterr().out.endswith(": nothing differs\n")
    assert ended(["catalog", "check", "-t", "here", "--catalog", "said.catalog.yaml"]) == 1


def test_where_the_site_runs_another_version_what_the_jobs_use_comes_first(capsys: Capture) -> None:
    serve({**DOUBLES, "UsrAddTours_v1": DOUBLES["UsrAddTours_v1"].replace("active: true", "active: false")})
    job("Level: 1")

    lines = drift(capsys, code=1)

    git, site = "the catalogue git.catalog.yaml", "target `here`"
    first = lines[2 : lines.index("the jobs use nothing of this:")]
    assert f"  `UsrAddTours`: its version: 2 in {git}, 1 in {site}" in first
    assert (
        f"  `UsrAddTours`: version `UsrAddTours_v1`: version 2, active in {git}, version 2, not active in {site}"
        in first
    )
    assert f"  `UsrAddTours`: parameter `Level`: only in {git}, integer, both" in first
    assert "      used in a.job.yaml:5" in first
    assert f"  `UsrAddTours`: parameter `Ran`: only in {git}, text, out" in lines[lines.index(first[-1]) :]
    assert not any("UsrOfTheSite" in line for line in lines)


def test_a_site_is_compared_with_one_thing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(DOUBLES)
    monkeypatch.setenv("CREATIO_RUNNER_CATALOG", "x.catalog.yaml")  # for other verbs
    assert ended(["catalog", "check", "-t", "here", "--against", "packages"]) == 1
    capsys.readouterr()
    assert ended(["catalog", "check", "-t", "here", "--against", "packages", "--catalog", "x.catalog.yaml"]) == 2
    assert "`--catalog`" in capsys.readouterr().err


def test_packages_are_compared_with_a_catalogue(capsys: Capture) -> None:
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    assert ended(["catalog", "diff", "git.catalog.yaml", "packages"]) == 0
    ROOT.write(Path("packages/UsrMore"))
    Path("here").mkdir()
    assert ended(["catalog", "diff", "packages", "here"]) == 3, "a folder without packages is no side of it"
    assert "there is no catalogue" not in capsys.readouterr().err
    ROOT.write(Path("here/UsrTours"))
    assert ended(["catalog", "diff", "packages", "here"]) == 3, "a target's name is the target, also beside packages"


def test_what_is_not_there_is_not_compared(capsys: Capture) -> None:
    serve(DOUBLES)
    assert ended(["catalog", "check", "-t", "here", "--against", "git.catalog.yaml"]) == 2
    assert "there is no catalogue git.catalog.yaml" in capsys.readouterr().err
    assert ended(["catalog", "doubles", "git.yaml", "--out", "doubles"]) == 2
    assert "= hint: `runner catalog pull -t NAME --out git.yaml` writes it\n" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_what_will_bite_a_caller_is_printed_in_every_form_of_validate(form: str, capsys: Capture) -> None:
    assert ended(["catalog", "lint", "packages", "--format", form]) == 1

    captured = capsys.readouterr()
    assert "E194" in captured.out
    assert "packages/UsrTours/Schemas/UsrAddTours/metadata.json" in captured.out
    assert captured.err == "1 process: 1 warning in 1 file\n"


def test_a_file_that_cannot_be_read_is_something_to_tell(capsys: Capture) -> None:
    Path("packages/UsrMore/Schemas/UsrAddTours_v1/metadata.json").write_text("{")
    assert ended(["catalog", "lint", "packages", "--format", "json"]) == 1
    assert sorted(codes(capsys)) == ["E191", "E194"]


def test_where_there_is_nothing_to_report_it_says_so(capsys: Capture) -> None:
    assert ended(["catalog", "lint", "packages/UsrMore"]) == 1, "the root of the version is elsewhere"
    RawStep(code="UsrFine").write(Path("fine"))
    capsys.readouterr()
    assert ended(["catalog", "lint", "fine"]) == 0
    assert capsys.readouterr().err == "1 process: nothing is found\n"


def test_where_there_is_nothing_to_lint_it_is_a_mistake(capsys: Capture) -> None:
    assert ended(["catalog", "lint", "nowhere"]) == 2
    assert "error[E100]" in capsys.readouterr().err


def test_doubles_for_the_processes_of_jobs_are_valid_and_a_job_can_be_rehearsed_with_them(capsys: Capture) -> None:
    RawStep(code="UsrUnused").write(Path("packages/UsrMore"))
    RawStep(code="UsrOnLead", elements={"S": "StartSignalEvent"}).write(Path("packages/UsrMore"))
    job("Level: 2")
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: sandbox}\n")
    assert ended(["catalog", "build", "packages", "-o", "git.catalog.yaml"]) == 0
    capsys.readouterr()

    assert ended(["catalog", "doubles", "git.catalog.yaml", "--out", "sandbox", "--for", "a.job.yaml"]) == 0

    captured = capsys.readouterr()
    names = ["UsrAddTours.process.yaml", "UsrAddTours_v1.process.yaml"]
    assert captured.out.splitlines() == [f"wrote sandbox/{name}" for name in names]
    assert captured.err == "sandbox: 1 process has a new double\n"
    assert ended(["validate", "sandbox"]) == 0
    assert ended(["validate", "a.job.yaml"]) == 0
    assert ended(["run", "a.job.yaml"]) == 0


@pytest.mark.parametrize("named", ["two", uid("UsrApprove/Two")])
def test_a_double_waits_at_the_elements_that_the_jobs_execute(capsys: Capture, named: str) -> None:
    RawStep(code="UsrApprove", elements={"S": "StartEvent", "One": "UserTask", "Two": "UserTask"}).write(Path("more"))
    steps = "  - {id: start, execute: {process: UsrApprove}}\n"
    steps += f'  - element: {{of: "{{{{ steps.start.process_id }}}}", name: {named}}}\n'
    Path("a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: here\nsteps:\n{steps}")
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: sandbox}\n")

    assert ended(["catalog", "doubles", "more", "--out", "sandbox", "--for", "a.job.yaml"]) == 0

    assert Path("sandbox/UsrApprove.process.yaml").read_text().count("if: false") == 1
    assert ended(["validate", "sandbox"]) == 0
    capsys.readouterr()
    assert ended(["validate", "a.job.yaml", "--format", "json"]) == 0
    assert codes(capsys) == []


def test_doubles_are_written_for_every_process_that_a_call_can_start(capsys: Capture) -> None:
    RawStep(code="UsrUnused").write(Path("packages/UsrMore"))
    RawStep(code="UsrOnLead", elements={"S": "StartSignalEvent"}).write(Path("packages/UsrMore"))

    assert ended(["catalog", "doubles", "packages", "--out", "new/sandbox"]) == 0

    assert sorted(path.name for path in Path("new/sandbox").iterdir()) == [
        "UsrAddTours.process.yaml",
        "UsrAddTours_v1.process.yaml",
        "UsrUnused.process.yaml",
    ]
    assert "left out: `UsrOnLead` cannot be started: it has no plain start event" in capsys.readouterr().err
    assert ended(["validate", "new/sandbox"]) == 0


@pytest.mark.parametrize("name", ["UsrAddTours.process.yaml", "UsrAddTours_v1.process.yaml", "other.process.yaml"])
@pytest.mark.parametrize("text", ["runner: 1\nprocess: UsrAddTours\n", "runner: 1\nprocess: UsrAddTours\nbroken: 1\n"])
def test_nothing_is_ever_written_over(name: str, text: str, capsys: Capture) -> None:
    Path("sandbox").mkdir()
    Path("sandbox", name).write_text(text)

    assert ended(["catalog", "doubles", "packages", "--out", "sandbox"]) == 0

    assert [path.name for path in Path("sandbox").iterdir()] == [name]
    assert Path("sandbox", name).read_text() == text
    assert capsys.readouterr().err == "sandbox: 0 processes have a new double, 1 had a double already\n"


def test_where_jobs_start_nothing_of_the_catalogue_nothing_is_selected() -> None:
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: here\nsteps:\n  - pause: 1s\n")
    assert ended(["catalog", "doubles", "packages", "--out", "sandbox", "--for", "a.job.yaml"]) == 5
    assert not Path("sandbox").exists()


def test_a_catalogue_without_processes_is_why_nothing_is_written(capsys: Capture) -> None:
    Path("c.catalog.yaml").write_text("runner: 1\nsite: https://a.example\nprocesses: {}\n")
    assert ended(["catalog", "doubles", "c.catalog.yaml", "--out", "sandbox"]) == 5
    said = "no process to write a double for: the catalogue c.catalog.yaml has none\n"
    assert capsys.readouterr().err == said


def test_a_file_in_the_place_of_the_folder_is_reported(capsys: Capture) -> None:
    Path("sandbox").write_text("x")
    assert ended(["catalog", "doubles", "packages", "--out", "sandbox"]) == 2
    assert "error[E100]" in capsys.readouterr().err
