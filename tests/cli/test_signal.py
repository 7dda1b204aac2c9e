"""Signals over a real socket: in the sandbox, whose double starts on a record, and on a site that breaks off."""

import json
import re
from pathlib import Path

import pytest
from sites import NOTHING, Answer, site, targets

from runner.cli.main import ended

DOUBLE = """runner: 1
process: UsrQualify
starts_on: {entity: Lead, change: insert, where: row.Score > 5, into: LeadId}
parameters: {LeadId: {type: guid}}
activities:
  - update: {entity: Lead, where: row.Id == parameters.LeadId, values: {State: Qualified}}
  - fail: No such lead
    if: parameters.LeadId == ""
"""
JOB = """runner: 1
name: a
target: sandbox
steps:
  - id: add
    signal:
      insert: {entity: Lead, values: {LeadName: "Smoke {{ run.id }}", Score: 7}}
      starts: UsrQualify
    undo: {signal: {delete: {entity: Lead, id: "{{ result.Id }}"}}}
  - id: read
    query: {entity: Lead, filter: "Id eq {{ steps.add.result.Id }}"}
    expect: ['result[0].State == "Qualified"']
  - id: fails
    query: {entity: Lead}
    expect: [result | length == 0]
finally:
  - id: rest
    query: {entity: Lead}
    expect: [result | length == 0]
"""


@pytest.fixture(autouse=True)
def _a_project() -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrQualify.process.yaml").write_text(DOUBLE)
    Path("sandbox/records.yaml").write_text("Lead: []\nKnown: [{LeadName: A}]\n")
    Path("sandbox/UsrColumns.process.yaml").write_text(
        "runner: 1\nprocess: UsrColumns\nactivities:\n"
        "  - insert: {entity: Lead, values: {LeadName: A, Score: 1, State: New}}\n"
    )
    write_targets("allow: {entities: [Lead]}")


def write_targets(more: str) -> None:
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  sandbox:\n    sandbox: sandbox\n    {more}\n")


def steps_of(file: str = "report.json") -> dict[str, dict[str, object]]:
    (run,) = json.loads(Path(file).read_text())["runs"]
    return {step["key"]: step for step in run["steps"]}


def test_a_new_run_inserts_a_second_record_and_whoever_begins_it_is_warned(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(re.sub(r"    undo: .*\n", "", JOB))
    assert ended(["run", "a.job.yaml"]) == 1
    assert "careful, it starts again what must happen only once: add" in capsys.readouterr().out
    Path("a.job.yaml").write_text(JOB)
    assert ended(["run", "a.job.yaml"]) == 1
    assert "it starts again what was undone: add" in capsys.readouterr().out


def test_a_record_starts_its_process_and_undo_takes_the_record_back() -> None:
    Path("a.job.yaml").write_text(JOB)
    assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 1
    steps = steps_of()
    assert [steps[key]["status"] for key in ("add", "read", "fails", "undo/add", "rest")] == [
        *("passed", "passed", "failed", "passed", "passed")
    ]
    assert (steps["add"]["verified"], bool(steps["add"]["process_id"])) == (True, True)


def test_no_record_is_changed_where_the_target_does_not_name_its_entity(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(JOB)
    write_targets("allow: {processes: ['*']}")
    assert ended(["run", "a.job.yaml"]) == 6
    assert "changes records of `Lead`" in capsys.readouterr().err
    assert not Path(".runner/runs").exists() or not list(Path(".runner/runs").glob("*/events.jsonl"))


def test_a_misspelt_entity_column_or_process_is_found_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = JOB.replace("entity: Lead, values", "entity: Leed, values")
    Path("a.job.yaml").write_text(text.replace("starts: UsrQualify", "starts: UsrQualfy"))
    assert ended(["run", "a.job.yaml"]) == 2
    said = capsys.readouterr().err
    assert "did you mean `Lead`?" in said
    assert "did you mean `UsrQualify`?" in said
    Path("a.job.yaml").write_text(JOB.replace("LeadName:", "LeadNam:"))
    assert ended(["run", "a.job.yaml"]) == 2
    assert "did you mean `LeadName`?" in capsys.readouterr().err


def test_an_insert_whose_answer_is_lost_is_read_back_and_never_sent_again() -> None:
    inserted: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if method == "POST" and path.endswith("/odata/Lead"):
            inserted.append(path)
            return Answer(silent=True)
        if path.startswith("/0/odata/Lead?"):
            key = re.search(r"Id eq ([0-9a-f-]{36})", path)
            assert key is not None
            return Answer(body=json.dumps({"value": [{"Id": key[1], "LeadName": "A"}] if inserted else []}))
        return NOTHING

    step = "  - id: a\n    signal: {insert: {entity: Lead, values: {LeadName: A}}}\n"
    job = f"runner: 1\nname: a\ntarget: here\nsteps:\n{step}"
    Path("a.job.yaml").write_text(job)
    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url) + "    allow: {entities: [Lead]}\n")
        assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 0
    assert len(inserted) == 1
    assert steps_of()["a"]["status"] == "passed"
