"""Elements of running processes, against a sandbox over a real socket: side by side, killed, mistaken."""

import json
from pathlib import Path

import pytest
from journals import read

from runner.cli.main import ended
from runner.runs.events import CallSent

DOUBLE = """runner: 1
process: UsrOnboard
caption: Onboard
parameters:
  Who: {type: text}
  Level: {type: integer}
  Key: {type: guid, direction: out}
activities:
  - element: {uid: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11, into: Key, caption: Approve}
  - element: {uid: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a12, caption: Create the account}
  - insert: {entity: Mark, values: {Name: "{{ parameters.Who }} {{ parameters.Level }}"}}
  - element: {uid: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a13, caption: Send}
  - insert: {entity: Mark, values: {Name: "{{ parameters.Who }} sent"}}
"""
JOB = """runner: 1
name: onboard
target: sandbox
steps:
  - id: start
    run: {process: UsrOnboard, parameters: {Who: Ann}, results: [Key], until: started}
  - id: chain
    elements:
      of: "{{ steps.start.process_id }}"
      chain: [Approve, {name: create the account, parameters: {Level: 2}}, Send]
    verify: log
  - id: done
    wait: {process_id: "{{ steps.start.process_id }}", every: 50ms}
"""


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrOnboard.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)


def calls_of_runs() -> dict[str, list[str]]:
    """The ids of the elements that each run executed."""
    called: dict[str, list[str]] = {}
    for folder in sorted(Path(".runner/runs").iterdir()):
        output = [line.event for line in read(folder).lines]
        calls = [event.call for event in output if isinstance(event, CallSent)]
        called[folder.name] = [str(call["uid"]) for call in calls if call["kind"] in ("element", "complete")]
    return called


@pytest.mark.slow
def test_twenty_instances_side_by_side_each_execute_their_own_chain_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = JOB.replace("steps:\n", "inputs: {who: {type: string}}\ncases: cases.csv\nsteps:\n")
    job = job.replace("Who: Ann", 'Who: "{{ inputs.who }}"')
    job += (
        "  - id: marks\n    query: {entity: Mark, filter: \"startswith(Name, '{{ inputs.who }} ')\", orderby: Name}\n"
    )
    job += "    expect: [result | length == 2, \"result[0].Name == inputs.who ~ ' 2'\"]\n"
    Path("a.job.yaml").write_text(job)
    Path("cases.csv").write_text("name,who\n" + "".join(f"c{n:02},p{n:02}\n" for n in range(20)))
    code = ended(["run", "a.job.yaml", "-j", "20"])
    assert (code, capsys.readouterr().err if code else "") == (0, "")
    called = calls_of_runs()
    every = [uid for uids in called.values() for uid in uids]
    assert [len(uids) for uids in called.values()] == [3] * 20
    assert len(set(every)) == 60


def test_an_id_that_the_process_gave_out_executes_its_element() -> None:
    chain = JOB[JOB.index("    elements:") : JOB.index("  - id: done")]
    Path("a.job.yaml").write_text(
        JOB.replace(chain, '    element: "{{ steps.start.result.Key }}"\n').partition("  - id: done")[0]
    )
    assert ended(["run", "a.job.yaml"]) == 0


def test_the_id_of_a_design_is_refused_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    chain = JOB[JOB.index("    elements:") : JOB.index("    verify: log")]
    design = "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11"
    Path("a.job.yaml").write_text(JOB.replace(chain, f"    element: {design}\n").replace("    verify: log\n", ""))
    assert ended(["run", "a.job.yaml"]) == 2
    output = capsys.readouterr().err
    assert "E172" in output
    assert 'write `element: {of: "{{ steps.start.process_id }}", name: Approve}`' in output
    assert not Path(".runner/runs").exists()


def test_a_kept_plan_still_knows_the_codes_of_elements(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(JOB.replace("[Approve,", "[UserTask1,"))
    assert ended(["plan", "a.job.yaml", "--out", "a.plan.json"]) == 0
    assert "UserTask1" in capsys.readouterr().out
    assert ended(["run", "a.plan.json"]) == 0


def test_a_lost_answer_is_settled_by_the_element_itself_over_a_real_socket(capsys: pytest.CaptureFixture[str]) -> None:
    faults = "faults: [{fault: slow, times: 2, seconds: 0.001}, {fault: drop_after, times: 1}]\n"
    Path("sandbox/UsrOnboard.process.yaml").write_text(DOUBLE + faults)
    Path("a.job.yaml").write_text(JOB.replace("    verify: log\n", ""))
    assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 0
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    rows = {row["key"]: (row["status"], row["verified"]) for row in run["steps"]}
    assert rows["chain[0]"] == ("passed", True)
    assert rows["chain[1]"] == ("passed", "inferred")
    assert len(next(iter(calls_of_runs().values()))) == 3
    assert "inferred" in capsys.readouterr().out
