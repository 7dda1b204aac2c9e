"""`runner runs` for programs, and only the newest."""

import json
import shutil
from pathlib import Path

import pytest

from runner.cli.main import ended
from runner.json_schema.schemas import shipped_text

JOB = "runner: 1\nname: a\ntarget: sandbox\nsteps: [{pause: 1ms}]\n"


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("sandbox").mkdir()
    Path("a.job.yaml").write_text(JOB)
    Path("b.job.yaml").write_text(JOB.replace("name: a", "name: b") + "cases: [{name: red, inputs: {}}]\n")


def test_runs_as_json_are_for_programs_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["run", "b.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert [(run["job"], run["case"], run["target"]) for run in found["runs"]] == [
        ("b", "red", "sandbox"),
        ("a", None, "sandbox"),
    ]
    first = found["runs"][0]
    schema = json.loads(shipped_text("runs"))["$defs"]["stored_run"]
    assert first.keys() == schema["properties"].keys() == set(schema["required"])
    row = {
        key: first[key]
        for key in ("status", "exit_code", "finished", "going_on", "changed", "failing", "next", "rerun")
    }
    assert row == {
        "status": "passed",
        "exit_code": 0,
        "finished": True,
        "going_on": False,
        "changed": False,
        "failing": None,
        "next": [],
        "rerun": None,
    }
    assert ended(["show", first["id"]]) == 0


def test_a_run_that_broke_off_shows_a_program_what_it_needs_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_bytes(events.read_bytes().splitlines(keepends=True)[0])
    (events.parent / "report.json").unlink()
    capsys.readouterr()
    ended(["runs", "--format", "json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["finished"], run["next"], run["rerun"]) == (False, [f"runner resume {run['id']}"], None)


def test_only_the_newest_are_listed_where_a_limit_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["run", "b.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["runs", "-n", "1"]) == 0
    out = capsys.readouterr().out
    assert "b[red]@sandbox" in out
    assert "a@sandbox" not in out


FAILING = JOB.replace("steps: [", "steps: [{id: wait, pause: 1ms}, {id: look, pause: 1ms, expect: ['1 == 2']}, ")


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    assert ended(["runs", "--format", "json", *options]) == 0
    return [f"{run['job']}[{run['case']}]@{run['target']}" for run in json.loads(capsys.readouterr().out)["runs"]]


def test_filters_select_runs_by_job_case_target_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.job.yaml").write_text(FAILING.replace("name: a", "name: c"))
    assert ended(["run", "."]) == 1
    assert listed(capsys) == ["c[None]@sandbox", "b[red]@sandbox", "a[None]@sandbox"]
    assert listed(capsys, "--job", "a", "--job", "b[red]") == ["b[red]@sandbox", "a[None]@sandbox"]
    assert listed(capsys, "--job", "b") == ["b[red]@sandbox"]
    assert listed(capsys, "--job", "b[blue]") == []
    assert listed(capsys, "-t", "elsewhere") == []
    assert listed(capsys, "-t", "sandbox", "--status", "failed") == ["c[None]@sandbox"]
    assert listed(capsys, "--status", "passed", "-n", "1") == ["b[red]@sandbox"]
    assert listed(capsys, "--status", "running") == []


def test_runs_since_a_moment_are_selected_by_their_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    (folder,) = Path(".runner/runs").iterdir()
    shutil.copytree(folder, folder.with_name("0194d2a0-0000-7000-8000-000000000001"))  # of February 2025
    assert len(listed(capsys)) == 2
    assert len(listed(capsys, "--since", "1h")) == 1
    assert len(listed(capsys, "--since", "2025-02-01")) == 2
    assert len(listed(capsys, "--since", "2025-12-31T09:00:00+01:00")) == 1
    assert ended(["runs", "--since", "yesterday"]) == 2
    assert "`--since yesterday` is neither an age nor a moment" in capsys.readouterr().err


def test_no_run_that_fits_is_another_sentence_than_no_runs(capsys: pytest.CaptureFixture[str]) -> None:
    ended(["runs"])
    assert capsys.readouterr().out == "no runs yet\n"
    ended(["run", "a.job.yaml"])
    capsys.readouterr()
    ended(["runs", "--job", "z"])
    assert capsys.readouterr().out == "no run fits these filters\n"


def test_the_list_names_the_step_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(FAILING)
    assert ended(["run", "a.job.yaml"]) == 1
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("failed at look: E201")
    ended(["runs", "--format", "json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["failing"]["step"], run["failing"]["code"]) == ("look", "E201")


def test_what_is_ignored_is_not_the_step_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    ignored = "{id: i, pause: 1ms, expect: [1 == 2], on_failure: ignore}"
    Path("a.job.yaml").write_text(JOB.replace("[{", f"[{ignored}, {{id: z, expect: [1 == 2], "))
    Path("c.job.yaml").write_text(JOB.replace("name: a", "name: c").replace("steps:", "outputs: {o: 1 // 0}\nsteps:"))
    assert ended(["run", "a.job.yaml", "c.job.yaml", "-q"]) == 1
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    failing = [run["failing"] for run in json.loads(capsys.readouterr().out)["runs"]]
    assert [(each["step"], each["code"]) for each in failing] == [(None, "E207"), ("z", "E201")]
    assert ended(["runs"]) == 0
    text = capsys.readouterr().out
    assert "failed at z: E201" in text
    assert "failed: E207" in text


def test_a_name_that_no_run_has_is_answered_with_the_nearest_that_runs_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "b.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["runs", "-t", "sandbx", "--job", "b[read]"]) == 0
    answer = "no run fits these filters; did you mean `--job b[red]` for `b[read]` and `-t sandbox` for `sandbx`?\n"
    assert capsys.readouterr().out == answer
    assert ended(["runs", "-t", "prod"]) == 0
    assert capsys.readouterr().out == "no run fits these filters\n"


def test_filters_select_what_is_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "."]) == 0
    assert ended(["runs", "--prune", "1ms", "--job", "a"]) == 0
    assert listed(capsys) == ["b[red]@sandbox"]


def test_json_does_not_go_with_prune_which_prints_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["runs", "--prune", "1ms", "--format", "json"]) == 2
    assert "`--format json` does not go with `--prune`" in capsys.readouterr().err


def test_a_number_of_runs_does_not_go_with_prune(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "."]) == 0
    capsys.readouterr()
    assert ended(["runs", "--prune", "1ms", "-n", "1"]) == 2
    assert "`--limit` does not go with `--prune`" in capsys.readouterr().err
    assert len(listed(capsys)) == 2


def test_without_runs_the_list_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["runs", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"format": 1, "runs": []}


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["runs", "--status", "faild"], "failed"),
        (["runs", "--format", "jsn"], "json"),
        (["schema", "evnt"], "event"),
        (["apply", ".", "--retry", "faild"], "failed"),
    ],
)
def test_a_mistyped_word_of_a_list_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], arguments: list[str], near: str
) -> None:
    assert ended(arguments) == 2
    assert f"hint: did you mean `{near}`?" in capsys.readouterr().err


def test_a_mistyped_word_in_a_variable_names_both(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_STATUS", "faild")
    assert ended(["runs"]) == 2
    hint = "did you mean `failed`? the value comes from the environment variable `CREATIO_RUNNER_STATUS`"
    assert hint in capsys.readouterr().err
