"""A run that a worker carried out and somebody pulled is, file by file, the run that a local command makes."""

import json
from pathlib import Path

import pytest
from fleets import Fleet, charges

from runner.cli.main import ended
from runner.foundation.values import Json

pytestmark = pytest.mark.slow

VOLATILE = {"at", "t", "seconds", "date", "prev", "run", "started_at", "seq", "delayed"}
"""What differs from run to run of the same plan, wherever it is carried out."""
ELSEWHERE = {"command", "ci", "alone", "fingerprints", "applied", "begun_by"}
"""What differs where a run is carried out by a worker: no command, and no CI job, has begun it, others may start the
same processes at any time, so that the log is read before each start, and the key of the fingerprints is drawn anew.
A worker signs in before it begins a run, so that this is no event of the run.
"""


def comparable(value: Json) -> Json:
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, dict):
        return {name: comparable(each) for name, each in value.items() if name not in VOLATILE | ELSEWHERE}
    return value


def test_a_pulled_run_differs_from_a_local_one_of_the_same_plan_only_in_what_must_differ(here: Fleet) -> None:
    long = "grün " * 60_000
    steps = charges("a1", "a2", more=", result: Receipt").replace("Mark: a2", f"Mark: a2, Receipt: {long}")
    steps += charges("z").replace("steps:", "finally:")
    run = here.put("a", f"defaults: {{verify: none}}\n{steps}")
    with here.runs() as runs:
        assert runs.carry(run).state == "ended"
    assert ended(["pull", run, "--db", here.dsn]) == 0
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    pulled, local = sorted(folder for folder in Path(".runner/runs").iterdir() if folder.is_dir())
    assert pulled.name == run
    of_pulled, of_local = (
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for folder in (pulled, local)
    )
    assert of_pulled.keys() == of_local.keys()
    assert any(name.startswith("results/") for name in of_local)
    for name in of_local:
        if name.startswith("results/"):
            assert of_pulled[name] == of_local[name]
    assert comparable(json.loads(of_pulled["plan.json"])) == comparable(json.loads(of_local["plan.json"]))
    theirs, ours = (list(map(json.loads, each["events.jsonl"].splitlines())) for each in (of_pulled, of_local))
    assert [event["seq"] for event in theirs] == [*range(1, len(theirs) + 1)]
    for event, own in zip(theirs, (each for each in ours if each["type"] != "signed.in"), strict=True):
        assert comparable(event) == comparable(own)


def test_a_pulled_run_is_carried_out_once_more_by_its_fleet_alone(
    here: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.sandbox.set_fault("success_but_error", "UsrCharge")
    run = here.put("a", charges("a"))
    with here.runs() as runs:
        assert runs.carry(run).state == "ended"
    capsys.readouterr()
    assert ended(["show", run, "--db", here.dsn]) == 0
    shown = capsys.readouterr().out
    assert f"a.job.yaml -t here --retry failed --db {here.dsn}" in shown
    assert "runner rerun" not in shown
    monkeypatch.setenv("CREATIO_RUNNER_DB", here.dsn)
    assert ended(["rerun", run]) == 2
    assert "`rerun` does not read CREATIO_RUNNER_DB" in capsys.readouterr().err
    assert ended(["pull", run]) == 0
    for more in ([], ["--failed"]):
        assert ended(["rerun", run, *more]) == 6
        assert "whose ledger would not learn of a rerun here" in capsys.readouterr().err
    assert here.starts() == {"a": 1}


def test_a_pulled_run_that_passed_is_not_said_to_be_carried_out_by_a_retry(
    here: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    run = here.put("a", charges("a"))
    with here.runs() as runs:
        assert runs.carry(run).state == "ended"
    assert ended(["pull", run, "--db", here.dsn]) == 0
    capsys.readouterr()
    assert ended(["rerun", run]) == 6
    refused = capsys.readouterr().err
    assert "is carried out once more by `runner apply` with `--for KEY`" in refused
    assert "--retry failed" not in refused


def test_a_pulled_run_in_doubt_is_settled_by_its_fleet_alone(here: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    here.sandbox.set_fault("drop_before", "UsrCharge")
    run = here.put("a", charges("a"))
    with here.runs() as runs:
        runs.carry(run)
    assert here.states() == {"a": "unknown"}
    assert ended(["pull", run, "--db", here.dsn]) == 0
    for command in (["resume", run, "--step", "a", "--as", "failed"], ["resume", run], ["reconcile", run]):
        capsys.readouterr()
        assert ended(command) == 6
        refused = capsys.readouterr().err
        assert "which would not learn what is settled here" in refused
        assert f"runner reconcile {run} --db" in refused
    assert here.starts() == {}
