"""`runner record`: what it says, what it refuses, and what stands in its files where a site shows less."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sandboxes import serve_sandbox
from sites import NOTHING, Answer, site, targets

from runner.cli.main import ended
from runner.foundation.values import Json
from runner.sandbox.doubles import Background, Delay, Double, Fail, Park, Set
from runner.sandbox.loading import load_doubles

pytestmark = pytest.mark.slow

PROCESS = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
SCHEMA = "5f9c1f5e-6c1d-4c0b-8a53-0c1d3f0e7b61"
DESIGN = "a3d2b6c4-8c6f-4d0e-9d0b-2f5c1c7e9a02"
TASK = "b1f0a6a4-8c0e-4f0d-9a3c-51a0b7a5d922"
OTHER = "3c9e2f57-1d64-4e0b-8b1a-6f2d9c4e7a33"
RUNNING = "ed2ae277-b6e2-df11-971b-001d60e938c6"
DONE = "815c9586-b6e2-df11-971b-001d60e938c6"
ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"
CANCELED = "1be78f3e-234d-4d6a-869a-dc07253fd2f3"
REFUSED = Answer(status=400, body='{"Message": "no such column", "ExceptionType": "X"}')
RECORD = ["record", PROCESS, "-t", "here", "--out", "specs/sandbox"]
JOB = """runner: 1
name: a
inputs: {token: {type: string, secret: true}}
steps:
  - run:
      process: UsrX
      parameters: {Name: John Smith, Token: "{{ inputs.token }}"}
      results: [Name, Greeting]
"""
GREETING = """runner: 1
process: UsrX
parameters:
  Name: {type: text, direction: both}
  Token: {type: text}
  Greeting: {type: text, direction: out}
activities:
  - set: {Greeting: "Dear John Smith"}
  - fail: 'John Smith has no phone, only "jane@smith.example"'
"""


def element(uid: str, caption: str, status: str, *, started: int = 0, seconds: int = 0) -> dict[str, Json]:
    minute = f"2026-01-01T09:{started:02}"
    return {
        "Id": uid[::-1].replace("-", "")[:8] + uid[8:],
        "SchemaElementUId": uid,
        "Caption": caption,
        "Type": "ProcessSchemaUserTask",
        "StatusId": status,
        "StartDate": f"{minute}:00Z",
        "CompleteDate": f"{minute}:{seconds:02}Z",
    }


class Shown:
    """A site that shows one process, as far as its parts say. A part that is an answer is given as it is."""

    def __init__(self, **parts: Answer | list[Json]) -> None:
        library: dict[str, Json] = {"Id": SCHEMA, "UId": DESIGN, "Name": "UsrX", "Caption": "X", "SysSchemaId": SCHEMA}
        row: dict[str, Json] = {
            "Id": PROCESS,
            "StatusId": DONE,
            "SysSchemaId": SCHEMA,
            "StartDate": "2026-01-01T09:00:00Z",
            "CompleteDate": "2026-01-01T09:00:02Z",
        }
        self._parts: Mapping[str, Answer | list[Json]] = {
            "SysProcessLog": [row],
            "VwProcessLib": [{**library, "IsActiveVersion": True}],
            "SysProcessElementLog": [],
            "elements": [],
            **parts,
        }
        self.row = row
        self.filters: list[str] = []

    def answer(self, _method: str, path: str) -> Answer:
        if "ProcessSchemaRequest" in path:
            design: Json = {"parameters": [], "flowElements": self._parts["elements"]}  # type: ignore[dict-item]
            schema = {"metaData": json.dumps({"metaData": {"schema": design}})}
            return Answer(body=json.dumps({"success": True, "schema": schema}))
        found = self._parts.get(urlsplit(path).path.rpartition("/")[2])
        self.filters += parse_qs(urlsplit(path).query).get("$filter", [])
        if found is None:
            return NOTHING
        return found if isinstance(found, Answer) else Answer(body=json.dumps({"value": found}))


def record(shown: Shown, *options: str, code: int = 0) -> None:
    with site(shown.answer) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended([*RECORD, *options]) == code


def double(code: str = "UsrX") -> Double:
    found, problems = load_doubles(Path("specs/sandbox"))
    assert problems == ()
    return found.processes[code]


def deeds() -> list[object]:
    return [activity.deed for activity in double().activities]


def text() -> str:
    return Path("specs/sandbox/UsrX.process.yaml").read_text() + Path("specs/recorded-usrx.job.yaml").read_text()


def ran(job: str, code: int) -> str:
    """The process that a job has started on the site `here`."""
    Path("a.job.yaml").write_text(job)
    assert ended(["run", "a.job.yaml", "-t", "here", "-q", "--report-json", "report.json"]) == code
    return str(json.loads(Path("report.json").read_text())["runs"][0]["steps"][0]["process_id"])


def test_no_real_value_and_no_secret_is_in_the_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "s3cr3t-t0k3n")
    Path("site").mkdir()
    Path("site/UsrX.process.yaml").write_text(GREETING)
    with serve_sandbox(Path("site")) as here:
        Path("targets.yaml").write_text(here.targets())
        process = ran(JOB, 1)
        assert ended(["record", process, "-t", "here", "--out", "specs/sandbox"]) == 0
        kept = ["--out", "kept/sandbox", "--keep-values"]
        assert ended(["record", process, "-t", "here", *kept]) == 0

    assert not any(word in text() for word in ("John", "Smith", "jane", "s3cr3t"))
    results, failure = deeds()
    assert results == Set(values={"Name": "Text 1", "Greeting": "Text 2"})
    assert isinstance(failure, Fail)
    assert failure.text == 'Text 1 has no phone, only "person1@example.com"'
    assert "        Name: Text 1\n" in text()
    real = Path("kept/sandbox/UsrX.process.yaml").read_text()
    assert "Dear John Smith" in real
    assert "s3cr3t" not in real
    assert "# Not seen: secret, or too large to be stored: Token\n" in real
    said = capsys.readouterr().err
    assert "not seen: secret, or too large to be stored: Token\n" in said
    assert said.count("read the text of its failure before you commit it") == 1


def test_a_failure_that_names_a_secret_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "s3cr3t-t0k3n")
    Path("site").mkdir()
    Path("site/UsrX.process.yaml").write_text(GREETING.replace("has no phone", "has no s3cr3t-t0k3n"))
    with serve_sandbox(Path("site")) as here:
        Path("targets.yaml").write_text(here.targets())
        process = ran(JOB, 1)
        for more in ([], ["--keep-values"]):
            assert ended(["record", process, "-t", "here", "--out", f"kept{len(more)}/sandbox", *more]) == 0
            double = Path(f"kept{len(more)}/sandbox/UsrX.process.yaml").read_text()
            assert "s3cr3t" not in double
            assert "# Not seen: why it failed: the text may hold a value that is secret\n" in double


def test_nothing_is_written_over_and_then_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs/sandbox").mkdir(parents=True)
    own = Path("specs/sandbox/mine.process.yaml")
    own.write_text("runner: 1\nprocess: UsrX\n")
    record(Shown(), code=2)

    assert "error[E153]: specs/sandbox/mine.process.yaml is there already" in capsys.readouterr().err
    assert [path.name for path in Path("specs").rglob("*.yaml")] == ["mine.process.yaml"]

    own.unlink()
    Path("specs/recorded-usrx.job.yaml").write_text("mine")
    record(Shown(), code=2)
    assert [path.read_text() for path in Path("specs").rglob("*.yaml")] == ["mine"]

    record(Shown(), "--job-out", "specs/other.job.yaml")
    assert Path("specs/other.job.yaml").exists()


def test_where_no_kept_run_has_started_it_the_values_are_said_to_be_unseen() -> None:
    shown = Shown()
    record(shown)

    assert "# Not seen: what it was given and what it gave: no stored run has started it" in text()
    assert double().activities == ()
    assert f"Id eq {PROCESS}" in shown.filters


def test_the_command_that_carries_the_recorded_job_out_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    record(Shown())
    command = "`runner run specs/recorded-usrx.job.yaml -t "
    lacking = "next: add a target to targets.yaml whose `sandbox` is the folder specs/sandbox, then "
    assert f"{lacking}{command}NAME`\n" in capsys.readouterr().err
    with site(Shown().answer) as here:
        Path("targets.yaml").write_text(f"{targets(here.url)}  box: {{sandbox: doubles}}\n")
        assert ended([*RECORD[:-1], "doubles", "--job-out", "specs/other.job.yaml"]) == 0
    assert "next: `runner run specs/other.job.yaml -t box`\n" in capsys.readouterr().err


def test_a_process_that_the_log_does_not_have_is_e225(capsys: pytest.CaptureFixture[str]) -> None:
    record(Shown(SysProcessLog=[]), code=1)
    said = f"error[E225]: the process log of target `here` has no process {PROCESS}"
    assert said in capsys.readouterr().err
    assert not Path("specs").exists()


def test_a_site_that_does_not_say_which_process_it_is_of_is_e225(capsys: pytest.CaptureFixture[str]) -> None:
    record(Shown(VwProcessLib=REFUSED), code=1)
    output = capsys.readouterr().err
    assert f"error[E225]: the site does not show which process {PROCESS} is of" in output
    assert "the library (VwProcessLib) is refused: " in output


def test_a_log_that_cannot_be_read_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    record(Shown(SysProcessLog=Answer(status=403)), code=3)
    assert "the process log (SysProcessLog) cannot be read: " in capsys.readouterr().err
    assert not Path("specs").exists()


def test_a_sandbox_that_starts_afresh_holds_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs/sandbox").mkdir(parents=True)
    Path("specs/sandbox/UsrX.process.yaml").write_text("runner: 1\nprocess: UsrX\n")
    Path("specs/targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbox: sandbox}}\n")
    assert ended(["record", PROCESS, "-t", "sandbox", "--out", "specs/sandbox"]) == 2
    assert "error[E169]: target `sandbox` is a sandbox that starts empty" in capsys.readouterr().err


def test_what_is_no_id_is_reported_before_the_site_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["record", "UsrX", "-t", "here", "--out", "specs/sandbox"]) == 2
    assert "error[E150]: `UsrX` is no id of a process" in capsys.readouterr().err


def test_an_element_log_that_is_refused_is_said_in_the_files() -> None:
    record(Shown(SysProcessElementLog=REFUSED))
    assert "# Not seen: its elements: the element log is refused: " in text()


def test_a_task_that_took_long_is_taken_to_have_waited_and_the_double_says_so() -> None:
    rows: list[Json] = [
        element(OTHER, "Call {{ them", DONE, started=1, seconds=5),
        element(TASK, "Read them", DONE),
    ]
    record(Shown(SysProcessElementLog=rows))

    assert deeds() == [
        Park(uid=TASK, caption="Read them", waits=False),
        Park(uid=OTHER, caption="Call { { them"),
    ]
    assert "# It took 5 s, so it is taken to have waited here; if it did not: `waits: false`.\n" in text()
    step = f'element: {{of: "{{{{ steps.start.process_id }}}}", name: {OTHER}}}'
    assert step in text()


def test_an_element_that_comes_again_in_a_loop_comes_again_in_the_double() -> None:
    record(Shown(SysProcessElementLog=[element(TASK, "Read", DONE, started=one) for one in range(3)]))

    assert deeds() == [
        Park(uid=TASK, caption="Read", waits=False),
        Park(caption="Read", waits=False),
        Park(caption="Read", waits=False),
    ]


def test_a_branch_that_was_not_executed_when_the_process_ended_is_left_out_and_said() -> None:
    record(Shown(SysProcessElementLog=[element(TASK, "Read", DONE), element(OTHER, "Wait", CANCELED, started=1)]))

    assert deeds() == [Park(uid=TASK, caption="Read", waits=False)]
    assert "# Left out: Wait, which was cancelled when the process ended.\n" in text()


def test_a_process_that_was_cancelled_waits_in_its_double() -> None:
    row = {**Shown().row, "StatusId": CANCELED}
    record(Shown(SysProcessLog=[row], SysProcessElementLog=[element(TASK, "Approve", CANCELED)]))

    assert deeds() == [Park(uid=TASK, caption="Approve")]
    assert ": somebody cancelled it after 2 s; a double cannot do that, so it waits where it happened.\n" in text()
    assert "for: parked" in text()


def test_a_process_that_runs_at_no_element_goes_on_in_the_background() -> None:
    record(Shown(SysProcessLog=[{**Shown().row, "StatusId": RUNNING, "CompleteDate": None}]))
    assert deeds() == [Background(), Delay(seconds=600.0)]


def test_where_it_is_parked_is_seen_also_where_nothing_is_logged() -> None:
    rows: list[Json] = [
        {"Id": OTHER, "SchemaElementUId": OTHER, "Status": 2},
        {"Id": PROCESS, "SchemaElementUId": TASK.upper(), "Status": 1},
    ]
    row = {**Shown().row, "StatusId": RUNNING, "CompleteDate": None}
    elements: list[Json] = [{"typeName": "ProcessSchemaUserTask", "uId": TASK, "name": "Approve1"}]
    shown = Shown(SysProcessLog=[row], SysProcessElementData=rows, elements=elements)
    record(shown)

    assert deeds() == [Park(uid=TASK, caption="Approve1")]
    assert "# Not seen: its elements" in text()
    assert "for: parked" in text()


def test_a_failure_without_words_fails_in_the_double_too() -> None:
    row = {**Shown().row, "StatusId": ERROR, "ErrorDescription": ""}
    record(Shown(SysProcessLog=[row], SysProcessElementLog=[element(TASK, "Read", ERROR)]))
    assert deeds() == [Fail(text="the process failed, and the log does not say why", uid=TASK, caption="Read")]


def test_a_part_of_another_process_says_so() -> None:
    record(Shown(SysProcessLog=[{**Shown().row, "ParentId": TASK}]))
    assert f"# Not seen: another process has started it, as a part of itself: {TASK}\n" in text()


def test_a_version_is_recorded_as_the_version_that_ran() -> None:
    Path("site").mkdir()
    root = "runner: 1\nprocess: UsrX\nversion: 1\nactive: false\nparameters: {Old: {type: text}}\n"
    Path("site/UsrX.process.yaml").write_text(root)
    member = "runner: 1\nprocess: UsrX_v2\nof: UsrX\nversion: 2\nactive: true\n"
    Path("site/UsrX_v2.process.yaml").write_text(f"{member}parameters: {{New: {{type: integer, direction: both}}}}\n")
    job = "runner: 1\nname: a\nsteps: [{run: {process: UsrX, parameters: {New: 3}, results: [New]}}]\n"
    with serve_sandbox(Path("site")) as here:
        Path("targets.yaml").write_text(here.targets())
        process = ran(job, 0)
        assert ended(["record", process, "-t", "here", "--out", "specs/sandbox", "--keep-values"]) == 0

    assert double("UsrX").active is False
    ran_version = double("UsrX_v2")
    assert (ran_version.of, ran_version.version, ran_version.active) == ("UsrX", 2, True)
    assert [activity.deed for activity in ran_version.activities] == [Set(values={"New": 3})]
    Path("specs/targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbox: sandbox}}\n")
    assert ended(["run", "specs/recorded-usrx.job.yaml", "-t", "sandbox", "-q"]) == 0
