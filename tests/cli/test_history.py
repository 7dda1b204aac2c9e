"""`runner history`: what is left of runs, also when they are deleted, and what `--last-failed` makes of it."""

import json
from pathlib import Path

import pytest

from runner.cli.main import ended
from runner.runs.store import RunStore
from runner.runs.stored_runs import StoredRun, load

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: sandbox
inputs: {{n: {{type: integer, default: 1}}}}
steps: [{{id: look, pause: 1ms, expect: ['inputs.n == 1']}}]
"""


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("sandbox").mkdir()
    for name in ("a", "b"):
        Path(f"{name}.job.yaml").write_text(JOB.format(name=name))


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    """The statuses of the runs of each name."""
    capsys.readouterr()
    assert ended(["history", "--format", "json", *arguments]) == 0
    names = json.loads(capsys.readouterr().out)["names"]
    return {f"{name['job']}@{name['target']}": [run["status"] for run in name["runs"]] for name in names}


def test_the_history_outlives_the_runs_and_last_failed_knows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "."]) == 0
    assert ended(["run", "b.job.yaml", "-i", "n=2"]) == 1
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert not list(Path(".runner/runs").iterdir())
    assert shown(capsys) == {"a@sandbox": ["passed"], "b@sandbox": ["passed", "failed"]}
    assert ended(["run", ".", "--last-failed"]) == 0
    assert "run b@sandbox" in capsys.readouterr().out
    assert ended(["run", ".", "--last-failed"]) == 5


def test_a_stored_run_counts_and_not_its_line_in_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    history = Path(".runner/history.jsonl")
    history.write_text(history.read_text().replace('"passed"', '"failed"'))
    assert shown(capsys) == {"a@sandbox": ["failed"]}
    assert ended(["run", ".", "--last-failed"]) == 5


def test_last_failed_goes_by_what_can_be_read_before_a_run_whose_events_were_damaged() -> None:
    assert ended(["run", "a.job.yaml", "-i", "n=2"]) == 1
    history = Path(".runner/history.jsonl")
    known = history.read_bytes()
    assert ended(["run", "a.job.yaml", "-i", "n=2"]) == 1
    history.write_bytes(known)
    journal = max(Path(".runner/runs").glob("*/events.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b"{", b"[", 1))
    assert ended(["run", ".", "--last-failed"]) == 0


def test_a_name_selects_a_job_at_any_target_or_at_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "."]) == 0
    assert list(shown(capsys, "a")) == list(shown(capsys, "a@sandbox")) == ["a@sandbox"]
    assert ended(["history", "a@sandbux"]) == 2
    written = capsys.readouterr().err
    assert "there is no run of `a@sandbux` in the history" in written
    assert "did you mean `a@sandbox`?" in written


def test_a_history_is_built_again_from_the_stored_runs_beside_what_is_left_of_deleted_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert ended(["run", "b.job.yaml"]) == 0
    history = Path(".runner/history.jsonl")
    history.write_bytes(history.read_bytes().splitlines(keepends=True)[0])
    assert list(shown(capsys)) == ["a@sandbox"]
    assert list(shown(capsys, "--rebuild")) == ["a@sandbox", "b@sandbox"]


def test_a_run_that_ends_while_the_history_is_built_again_counts_as_it_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(["run", "a.job.yaml", "-i", "n=2"]) == 1
    history = Path(".runner/history.jsonl")
    line = history.read_bytes()
    really = load

    def loaded(store: RunStore, name: str) -> StoredRun:
        run = really(store, name)
        store.append_history(line.replace(b'"failed"', b'"passed"').rstrip(b"\n"))  # it was settled meanwhile
        return run

    monkeypatch.setattr("runner.runs.stored_runs.load", loaded)
    assert shown(capsys, "--rebuild") == {"a@sandbox": ["passed"]}
    monkeypatch.setattr("runner.runs.stored_runs.load", really)
    history.write_bytes(line.replace(b'"failed"', b'"passed"'))
    assert shown(capsys, "--rebuild") == {"a@sandbox": ["failed"]}


def test_another_machines_history_is_read_from_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    Path(".runner/history.jsonl").rename("ci.jsonl")
    assert shown(capsys) == {}
    assert list(shown(capsys, "--file", "ci.jsonl")) == ["a@sandbox"]
    assert ended(["history", "--file", "nowhere.jsonl"]) == 2
    assert ended(["history", "--file", "ci.jsonl", "--rebuild"]) == 2


def test_a_history_that_cannot_be_written_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".runner/history.jsonl").mkdir(parents=True)
    assert ended(["run", "a.job.yaml"]) == 0
    assert "warning[E311]: the run is missing in the history" in capsys.readouterr().err
    assert ended(["history"]) == 2
    assert ended(["run", ".", "--last-failed"]) == 5


def test_before_the_first_run_there_is_no_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["history"]) == 0
    assert capsys.readouterr().out == (
        "no history yet: each run that ends adds to it, and `--rebuild` reads the stored runs\n"
    )
    assert not Path(".runner").exists()
