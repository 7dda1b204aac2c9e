"""Folders below the one that is named: counted in a line, and read with `-r`."""

from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended

JOB = "runner: 1\nname: {name}\ntarget: local\nsteps:\n  - pause: 1ms\n"
TARGETS = "runner: 1\ntargets: {local: {sandbox: doubles}}\n"
DOUBLE = "runner: 1\nprocess: UsrA\nactivities: []\n"


def write(place: str, text: str) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).write_text(text)


@pytest.fixture(autouse=True)
def _five_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write("targets.yaml", TARGETS)
    write("doubles/UsrA.process.yaml", DOUBLE)
    for place in ("a", "b", "more/c", "more/deep/d", "other/e"):
        write(f"{place}.job.yaml", JOB.format(name=place.rpartition("/")[2]))
    write(".runner/hidden.job.yaml", "steps: [")
    write("more/.cache/hidden.job.yaml", "steps: [")


WORDS = "3 more jobs lie in folders below and were not read, `-r` reads them: `more`, `more/deep`, `other`\n"


@pytest.mark.parametrize("verb", ["run", "plan", "list", "validate"])
def test_what_lies_below_is_counted_in_a_line_and_read_where_it_is_asked_for(verb: str, capsys: Capture) -> None:
    assert ended([verb, "."]) == 0
    assert WORDS in capsys.readouterr().err
    assert ended([verb, "-r", "."]) == 0
    output = capsys.readouterr()
    assert "not read" not in output.err
    assert (
        all(f"{name}.job" in output.out for name in "abcde") or "5 files, no mistakes" in output.err or verb == "plan"
    )


def test_jobs_are_carried_out_in_the_order_of_their_folders(capsys: Capture) -> None:
    assert ended(["run", ".", "--recursive"]) == 0
    lines = [line.split("@")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("run ")]
    assert lines == ["run a", "run b", "run c", "run d", "run e"]


def test_the_line_is_left_out_where_little_is_to_be_said(capsys: Capture) -> None:
    assert ended(["run", ".", "-q"]) == 0
    assert "not read" not in capsys.readouterr().err


def test_a_job_below_with_a_mistake_has_been_read_too(capsys: Capture) -> None:
    write("other/e.job.yaml", "steps: [")
    assert ended(["validate", "-r", "."]) == 2
    assert "not read" not in capsys.readouterr().err


def test_a_catalogue_that_jobs_in_several_folders_lean_on_is_named_once(capsys: Capture) -> None:
    write("targets.yaml", TARGETS.replace("{local", "{live: {url: https://example.com}, local"))
    write("live.catalog.yaml", "runner: 1\nsite: https://example.com\nprocesses: {}\n")
    for place in ("a", "more/c"):
        write(f"{place}.job.yaml", JOB.format(name=place[-1]).replace("local", "live"))
    assert ended(["validate", "-r", "."]) == 0
    assert capsys.readouterr().err.count("live.catalog.yaml") == 1


def test_a_job_that_names_no_target_and_is_part_of_no_other_is_said_to_be_held_against_none(capsys: Capture) -> None:
    included = JOB.format(name="a").replace("target: local\n", "")
    write("a.job.yaml", included)
    write("b.job.yaml", JOB.format(name="b") + "  - job: {file: a.job.yaml}\n")
    assert ended(["validate", "."]) == 0
    assert "no target" not in capsys.readouterr().err
    write("more/c.job.yaml", included.replace("name: a", "name: c"))
    assert ended(["validate", "-r", "."]) == 0
    output = "checked against no target, as they name none: `more/c.job.yaml`; `-t NAME` names a target\n"
    assert output in capsys.readouterr().err
    assert ended(["validate", "more/c.job.yaml", "-t", "local"]) == 0
    assert "no target" not in capsys.readouterr().err


def test_a_job_below_that_another_includes_has_been_read(capsys: Capture) -> None:
    write("a.job.yaml", "runner: 1\nname: a\ntarget: local\nsteps:\n  - job: {file: other/e.job.yaml}\n")
    write("other/e.job.yaml", "runner: 1\nname: e\nsteps: [{pause: 1ms}]\n")
    assert ended(["list", "."]) == 0
    assert (
        "2 more jobs lie in folders below and were not read, `-r` reads them: `more`, `more/deep`"
        in capsys.readouterr().err
    )


def test_one_job_is_reported_as_one(capsys: Capture) -> None:
    assert ended(["list", "more"]) == 0
    assert "1 more job lies in folders below and was not read, `-r` reads it: `more/deep`\n" in capsys.readouterr().err


def test_a_mistake_below_is_found_and_only_with_it(capsys: Capture) -> None:
    write("more/deep/d.job.yaml", "runner: 1\nname: d\nstep: []\n")
    assert ended(["validate", "."]) == 0
    assert ended(["validate", "-r", "."]) == 2
    assert "more/deep/d.job.yaml:3:1: error[E104]" in capsys.readouterr().out


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path, capsys: Capture) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.job.yaml").write_text(JOB.format(name="outside"))
    Path("more/linked").symlink_to(outside)
    Path("more/circle").symlink_to(Path().absolute())
    Path("more/x.job.yaml").symlink_to(outside / "x.job.yaml")
    Path("more/twice.job.yaml").symlink_to(Path("a.job.yaml").absolute())
    assert ended(["list", "."]) == 0
    assert WORDS in capsys.readouterr().err
    assert ended(["list", "-r", "."]) == 0
    output = capsys.readouterr()
    assert "outside" not in output.out
    assert len(output.out.splitlines()) == 5
    assert "more/x.job.yaml leads out of the folder that was named, and is not read" in output.err
    assert output.err.count("leads out") == 1


def test_a_folder_that_holds_none_itself_says_how_those_below_are_read(capsys: Capture) -> None:
    write("far/away/from/f.job.yaml", JOB.format(name="f"))
    assert ended(["run", "far"]) == 5
    assert "far/away/from has some, and folders below are not entered: name it, or give `-r`" in capsys.readouterr().err
    assert ended(["run", "-r", "far"]) == 0


def test_the_option_has_a_twin_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_RECURSIVE", "1")
    assert ended(["list", "."]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_a_run_is_selected_by_one_of_several_keywords(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(["run", "-r", ".", "-k", "A", "-k", "d"]) == 0
    out = capsys.readouterr().out
    assert [name for name in "abcde" if f"run {name}@" in out] == ["a", "d"]
    assert ended(["run", ".", "-k", "x", "-k", "y"]) == 5
    assert "no run is called like `x` or `y`" in capsys.readouterr().err
    monkeypatch.setenv("CREATIO_RUNNER_KEYWORD", "a b")
    assert ended(["run", "."]) == 5
    assert "no run is called like `a b`" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "plan", "validate"])
def test_a_target_on_the_command_line_is_not_blocked_by_an_unknown_one_of_the_job(verb: str, capsys: Capture) -> None:
    write("a.job.yaml", JOB.format(name="a").replace("local", "nowhere"))
    assert ended([verb, "a.job.yaml"]) == 2
    assert "unknown target `nowhere`" in "".join(capsys.readouterr())
    assert ended([verb, "a.job.yaml", "-t", "local"]) == 0
    assert "nowhere" not in "".join(capsys.readouterr()).replace("target: nowhere", "")


def test_a_plan_for_a_target_of_the_command_line_is_carried_out_though_the_jobs_own_is_unknown() -> None:
    write("a.job.yaml", JOB.format(name="a").replace("local", "nowhere"))
    assert ended(["plan", "a.job.yaml", "-t", "local", "--out", "a.plan.json"]) == 0
    assert ended(["run", "a.plan.json"]) == 0


def test_an_input_has_a_twin_of_its_own_and_the_option_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert ended(["--help"]) == 0
    assert "CREATIO_RUNNER_INPUT_NAME" in capsys.readouterr().out
    monkeypatch.setenv("CREATIO_RUNNER_INPUT", "limit=5")
    assert ended(["list", "."]) == 0
    output = capsys.readouterr().err
    assert "the environment variable `CREATIO_RUNNER_INPUT` is not read" in output
    assert "`CREATIO_RUNNER_INPUT_NAME` gives the input `NAME`" in output


def test_where_a_targets_file_was_searched_for_is_said(tmp_path: Path, capsys: Capture) -> None:
    Path("targets.yaml").unlink()
    looked = f"there is no targets.yaml in `{tmp_path / 'here'}` and above it up to `{tmp_path.anchor}`"
    assert ended(["run", "a.job.yaml"]) == 2
    assert f"the targets are `sandbox`; {looked}" in capsys.readouterr().err
    assert ended(["run", "a.job.yaml", "-t", "staging"]) == 2
    assert looked in capsys.readouterr().err
    assert ended(["doctor", "-t", "staging"]) == 2
    assert looked in capsys.readouterr().err
